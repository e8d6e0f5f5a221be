"""What a page is: paper and boards, lines, rows of numbers, words, and the desk and the things around it."""
