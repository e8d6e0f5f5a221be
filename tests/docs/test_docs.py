"""The documents: their links, commands, code and tables are true."""

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from digitedge.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DECISIONS = ROOT / "docs/decisions"
FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
README_LINES = 130
IMAGE_BYTES = 250_000

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def commands(page: Path) -> list[list[str]]:
    """The words of every `digitedge ...` command of a page, from code blocks and backticks."""
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"^ {4}(?:\$ )?(digitedge .+)$", FENCE.sub("", text), re.MULTILINE)
    lines += re.findall(r"`(digitedge [^`]+)`", text)
    lines = [re.split(r" {2,}| > | \| ", line.replace("\\|", "/"))[0] for line in lines]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def command_of(words: list[str]) -> Any:
    """The command that is meant by the words after `digitedge`, with its options."""
    command = get_command(app)
    for word in words:
        if word not in getattr(command, "commands", {}):
            break
        command = command.commands[word]
    assert command.name != get_command(app).name, words
    return getattr(command, "commands", {}).get("bundle", command)  # `digitedge eval` alone is `digitedge eval bundle`


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@every_page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for _, target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        path, _, heading = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in map(anchor, headings), target


@every_page
def test_names_that_link_to_code_are_defined_there(page: Path) -> None:
    for text, target in LINK.findall(page.read_text(encoding="utf-8")):
        if name := re.fullmatch(r"`([\w.]+)(\(\))?`", text) if target.endswith(".py") else None:
            tree = ast.parse((page.parent / target).read_text(encoding="utf-8"))
            defined = {getattr(node, "name", None) or getattr(node, "id", None) for node in ast.walk(tree)}
            assert set(name[1].split(".")) <= defined, f"{text} in {target}"


@every_page
def test_commands_and_their_options_exist(page: Path) -> None:
    for words in commands(page):
        before = words[: words.index("--")] if "--" in words else words
        options = {word.split("=")[0] for word in before if word.startswith("--")} - {"--help"}
        known = {
            option for parameter in command_of(words).params for option in parameter.opts + parameter.secondary_opts
        }
        assert options <= known, words


@every_page
def test_make_targets_and_programs_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^ {4}|`)make ([a-z][a-z0-9-]*)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for program in re.findall(r"(?:^ {4}|`)(?:\.venv/bin/)?python ([\w/.-]+\.py)", text, re.MULTILINE):
        assert (ROOT / program).is_file(), program


PYTHON = [
    (page, code) for page in PAGES for kind, code in FENCE.findall(page.read_text(encoding="utf-8")) if kind == "python"
]


@pytest.mark.parametrize(("page", "code"), PYTHON, ids=[page.stem for page, _ in PYTHON])
def test_python_examples_run(page: Path, code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout


def test_readme_is_one_page_with_both_images() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= README_LINES
    assert {target for _, target in LINK.findall(readme) if target.endswith(".png")} == {
        "docs/images/reading.png",
        "docs/images/live-page.png",
    }
    assert all(path.stat().st_size <= IMAGE_BYTES for path in (ROOT / "docs/images").iterdir())


def test_readme_links_to_every_page_of_the_guide() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"docs/guide/{page.name}" in readme for page in (ROOT / "docs/guide").iterdir())


def test_every_target_of_the_makefile_has_a_line_of_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert targets is not None
    for target in set(targets[1].split()) - {"help"}:
        assert re.search(rf'"make {target} ', makefile), target
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_decision_is_listed_and_has_its_parts() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    for page in set(DECISIONS.glob("*.md")) - {DECISIONS / "README.md"}:
        text = page.read_text(encoding="utf-8")
        assert f"({page.name})" in index, page.name
        assert text.startswith("# "), page.name
        assert {"**Context.**", "**Choice.**"} <= set(re.findall(r"^\*\*\w+\.\*\*", text, re.MULTILINE)), page.name


def test_decisions_that_the_code_names_exist() -> None:
    for folder in ("digitedge", "tests", "export", "docs", "demos"):
        for file in (ROOT / folder).rglob("*.py"):
            for name in re.findall(r"docs/decisions/([\w-]+\.md)", file.read_text(encoding="utf-8")):
                assert (DECISIONS / name).is_file(), f"{file}: {name}"
