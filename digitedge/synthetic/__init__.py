"""Rendered digits, pages, scenes and non-digits with exact ground truth, so that nothing has to be downloaded.

In: a seed. Out: crops with labels (`handwriting.digits`, `non_digits`), or frames with all boxes (`scenes`).

- `handwriting`: skeletons become the ink of digits, letters and words.
- `non_digits`: crops that are not digits.
- `page`: papers, pens and what is written and drawn on a page.
- `documents`: tables, forms, bills, exercises and other documents, on such pages.
- `photo`: what a camera makes of a page: perspective, light, blur, noise, JPEG.
- `scenes`: frames, an endless clip, and labelled crops of frames.

This package runs without TensorFlow.
"""
