import numpy as np

from digitedge.datasets.labelled_crops import balanced_indices, number_crops


def test_digits_are_equally_frequent_as_long_as_there_are_enough() -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), [100, 100, 100, 100, 100, 100, 100, 100, 2, 0])
    counts = np.bincount(labels[balanced_indices(labels, 82, seed=1)], minlength=10)
    assert counts.tolist() == [10] * 8 + [2, 0]
    counts = np.bincount(labels[balanced_indices(labels, 85, seed=1)], minlength=10)
    assert sorted(counts[:8].tolist()) == [10] * 5 + [11] * 3


def test_the_seed_decides_and_the_count_is_limited_to_all() -> None:
    labels = np.resize(np.arange(10, dtype=np.uint8), 200)
    first, again, other = (balanced_indices(labels, 50, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.tolist() != other.tolist()
    assert balanced_indices(labels, 999, seed=0).tolist() == list(range(200))
    assert not len(balanced_indices(labels, 0, seed=0))


def test_a_subset_has_crops_labels_and_names_of_the_same_digits() -> None:
    labels = np.resize(np.arange(10, dtype=np.uint8), 40)
    crops = np.zeros((40, 28, 28), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None]
    chosen = number_crops("some", crops, labels).subset(20)
    assert len(chosen) == 20
    assert [f"#{crop[0, 0]}" for crop in chosen.crops] == list(chosen.names)
    np.testing.assert_array_equal(chosen.labels, chosen.crops[:, 0, 0] % 10)
