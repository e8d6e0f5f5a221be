import numpy as np

from digitedge.evaluation.top_errors import BACKGROUND, COLUMNS, HEADER, TILE, draw_mistakes, worst_mistakes


def scored(answers: list[int], confidence: list[float]) -> np.ndarray:
    rows = np.zeros((len(answers), 10), np.float32)
    rows[np.arange(len(answers)), answers] = confidence
    return rows


def test_the_surest_wrong_answers_come_first_and_right_ones_never() -> None:
    probabilities = scored([1, 2, 3, 4, 5], [0.6, 0.99, 0.7, 0.7, 0.9])
    labels = np.uint8([7, 2, 8, 9, 0])
    worst = worst_mistakes(probabilities, labels)
    assert [(one.index, one.truth, one.answer) for one in worst] == [(4, 0, 5), (2, 8, 3), (3, 9, 4), (0, 7, 1)]
    assert [round(one.confidence, 4) for one in worst] == [0.9, 0.7, 0.7, 0.6]
    assert worst_mistakes(probabilities, labels, limit=2) == worst[:2]
    assert worst_mistakes(probabilities, np.uint8([1, 2, 3, 4, 5])) == ()


def test_the_image_shows_their_crops_in_order() -> None:
    crops = np.zeros((20, 28, 28), np.uint8) + np.arange(20, dtype=np.uint8)[:, None, None] * 10
    worst = worst_mistakes(scored([1] * 20, list(np.linspace(0.3, 0.9, 20))), np.zeros(20, np.uint8))
    names = [f"a-folder-with-a-long-name/{i}.png" for i in range(20)]
    image = draw_mistakes(worst, crops, names, title="worst")
    assert image.dtype == np.uint8
    shown = [int(image[HEADER + 5, 12 + column * (TILE + 8), 0]) for column in range(COLUMNS)]
    assert shown == [10 * (19 - column) for column in range(COLUMNS)]
    assert (image != BACKGROUND).any(axis=2)[HEADER + TILE : HEADER + TILE + 20].any()  # there are words


def test_the_title_has_room_over_a_single_mistake() -> None:
    worst = worst_mistakes(scored([1], [0.5]), np.uint8([2]))
    title = "a title that is a good deal longer than one tile is wide"
    image = draw_mistakes(worst, np.zeros((1, 28, 28), np.uint8), ["#0"], title=title)
    assert (image[:HEADER, -8:] == BACKGROUND).all()
