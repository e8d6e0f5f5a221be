"""`digitedge adapt`: learn a hand on the device."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import (
    EXPORT_FOLDER,
    ForceOption,
    JsonOption,
    ModelOption,
    SignatureOption,
    choose_model,
    echo,
    load_chosen,
    print_json,
    print_line,
    print_text,
)
from digitedge.errors import DigitEdgeError

if TYPE_CHECKING:
    from digitedge.adapting.adapt import Learned


def adapt(
    folders: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FOLDER...",
            show_default=False,
            help="Digits of your own: what `collect read` or `camera --save-crops` has filled, another folder with "
            "subfolders 0 to 9 (and x for what is no digit) or images such as 7_0001.png, an npz or a csv file.",
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the adaptation of the model.")] = False,
    model: ModelOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Learn a hand from 50 or more of its digits, in seconds and without TensorFlow.

    The model stays as it is. What was learned is a file beside it, NAME.adaptation.npz, which `predict` and `camera`
    use from then on, and say so. It is judged by digits that it was not learned from, by the test digits of MNIST if
    they are on this machine, else by rendered ones, by the golden digits of the bundle, by corrupted digits and by
    non-digits. If it gains nothing, or harms the others, it is not kept, and the command fails.

    Examples:
      digitedge adapt crops
      digitedge adapt crops more.npz --model export/mine
      digitedge adapt --remove
    """
    from digitedge.bundle.adaptation import adaptation_path, save_adaptation

    if remove == bool(folders):
        raise typer.BadParameter("expected folders of digits, or --remove alone", param_hint="FOLDER...")
    loaded = load_chosen(choose_model(model), force=force, preprocess=None)
    path = adaptation_path(loaded, EXPORT_FOLDER)
    if remove:
        existed = path.is_file()
        path.unlink(missing_ok=True)
        print_line(f"removed: {path}" if existed else f"nothing to remove at {path}")
        return
    from digitedge.adapting.adapt import adapt as learn
    from digitedge.datasets.custom import load_custom_digits
    from digitedge.datasets.labelled_crops import join_crops
    from digitedge.datasets.load import check_each_once, load_own_non_digits
    from digitedge.utils.files import check_file_creatable

    sources = folders or []
    check_each_once(sources)
    check_file_creatable(path)
    digits = join_crops({source: load_custom_digits(source, log=echo) for source in sources})
    learned = learn(loaded, digits, load_own_non_digits(sources), log=echo)
    if learned.problem is None:
        save_adaptation(learned.adaptation, path)
    _print(learned, path, as_json=as_json)
    if learned.problem is not None:
        kept = f" {path}, of before, stays." if path.is_file() else ""
        raise DigitEdgeError(
            f"the adaptation is not kept: {learned.problem}. Collect more digits, above all those that are misread, or "
            f"fine-tune the network: digitedge train --from.{kept}"
        )


def _print(learned: "Learned", path: Path, *, as_json: bool) -> None:
    from digitedge.utils.tables import Table, percent

    if as_json:
        changes = [asdict(change) for change in learned.changes]
        about = {"path": str(path), **asdict(learned.adaptation.info), "problem": learned.problem}
        print_json({**about, "schema": "digitedge.adapt/1", "split": learned.folds, "changes": changes})
        return
    lines = {one.name: [str(one.count), percent(one.before), percent(one.after)] for one in learned.changes}
    print_text(Table("wrong", ["images", "before", "after"], lines).text())
    if learned.problem is None:
        print_line(f"adaptation: {path}")
