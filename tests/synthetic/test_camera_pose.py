import numpy as np
import pytest

from digitedge.synthetic.photo.camera_pose import CameraPose, homography, keep_inside, project


def test_a_camera_straight_above_projects_the_centre_to_the_centre() -> None:
    matrix = homography(CameraPose(), page=(101, 81), frame=(51, 41))
    assert project(np.array([[50.0, 40.0]]), matrix) == pytest.approx(np.array([[25.0, 20.0]]))


def test_a_tilted_camera_enlarges_the_nearer_side() -> None:
    matrix = homography(CameraPose(tilt=(0.1, 0.0)), page=(200, 200), frame=(200, 200))
    left, right = (np.ptp(project(np.array([[x, 50.0], [x, 150.0]]), matrix)[:, 1]) for x in (10.0, 190.0))
    assert right > left * 1.1


def test_keep_inside_does_not_change_what_fits() -> None:
    matrix = homography(CameraPose(), page=(100, 100), frame=(100, 100))
    kept = keep_inside(matrix, np.array([[20.0, 20.0], [80.0, 80.0]]), frame=(100, 100), margin=5)
    assert kept == pytest.approx(matrix)


@pytest.mark.parametrize(
    "pose",
    [
        CameraPose(shift=(0.9, -0.9)),
        CameraPose(zoom=4.0),
        CameraPose(zoom=3.0, turn=0.3, shift=(0.5, 0.5), tilt=(0.1, -0.1)),
    ],
    ids=["shifted", "near", "near, shifted, turned and tilted"],
)
def test_keep_inside_brings_all_points_into_the_frame(pose: CameraPose) -> None:
    points = np.random.default_rng(0).uniform(20, 80, (50, 2))
    matrix = keep_inside(homography(pose, page=(100, 100), frame=(160, 120)), points, frame=(160, 120), margin=6)
    projected = project(points, matrix)
    assert projected.min() >= 6 - 1e-6
    assert (projected.max(axis=0) <= np.array([153, 113]) + 1e-6).all()
