"""From skeletons of digits and letters to ink: curves, hands with habits, pens, and digits in MNIST's form."""
