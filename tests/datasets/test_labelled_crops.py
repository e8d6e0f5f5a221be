import numpy as np

from digitedge.datasets.labelled_crops import balanced, numbered


def test_every_digit_comes_equally_often_while_it_lasts() -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), [100, 100, 100, 100, 100, 100, 100, 100, 2, 0])
    counts = np.bincount(labels[balanced(labels, 82, seed=1)], minlength=10)
    assert counts.tolist() == [10] * 8 + [2, 0]
    counts = np.bincount(labels[balanced(labels, 85, seed=1)], minlength=10)
    assert sorted(counts[:8].tolist()) == [10] * 5 + [11] * 3


def test_the_seed_chooses_and_more_than_all_is_all() -> None:
    labels = np.resize(np.arange(10, dtype=np.uint8), 200)
    first, again, other = (balanced(labels, 50, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.tolist() != other.tolist()
    assert balanced(labels, 999, seed=0).tolist() == list(range(200))
    assert not len(balanced(labels, 0, seed=0))


def test_a_subset_keeps_crops_labels_and_names_together() -> None:
    labels = np.resize(np.arange(10, dtype=np.uint8), 40)
    crops = np.zeros((40, 28, 28), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None]
    chosen = numbered("some", crops, labels).subset(20)
    assert len(chosen) == 20
    assert [f"#{crop[0, 0]}" for crop in chosen.crops] == list(chosen.names)
    np.testing.assert_array_equal(chosen.labels, chosen.crops[:, 0, 0] % 10)
