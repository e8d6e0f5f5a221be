from dataclasses import asdict, replace

import pytest

from digitedge.errors import DataError, InputError
from digitedge.training.config import CAMERA, DEFAULT_PLANS, Plan


def test_a_plan_comes_back_from_json() -> None:
    plan = DEFAULT_PLANS["cnn"]
    assert Plan.from_json({**asdict(plan), "augment": list(CAMERA)}) == plan


@pytest.mark.parametrize("augment", [True, None, ["rain"]], ids=str)
def test_a_plan_of_other_transforms_is_refused(augment: object) -> None:
    with pytest.raises(DataError, match="Train again"):
        Plan.from_json({**asdict(DEFAULT_PLANS["cnn"]), "augment": augment})


def test_an_unknown_transform_is_named() -> None:
    with pytest.raises(InputError, match=r"expected transforms of geometry, .*, got rain"):
        replace(DEFAULT_PLANS["cnn"], augment=("rain",))
