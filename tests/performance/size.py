"""Size of the wheel and of every package of the base install, in a new environment: `make size`.

The wheel contains the released bundle. Exit code 1 if it is larger than MAX_WHEEL_MB.
"""

import subprocess
import sys
import tempfile
import venv
from importlib.metadata import Distribution, distributions
from pathlib import Path

MAX_WHEEL_MB = 2.2
ROOT = Path(__file__).parents[2]


def installed_bytes(package: Distribution) -> int:
    """Return the size of the files of a package, compiled ones included."""
    paths = (Path(str(package.locate_file(file))) for file in package.files or [])
    return sum(path.stat().st_size for path in paths if path.is_file())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        wheels, environment = Path(folder) / "wheels", Path(folder) / "venv"
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)], check=True)
        (wheel,) = wheels.glob("digitedge-*.whl")
        wheel_mb = wheel.stat().st_size / 1e6
        venv.create(environment, with_pip=False)
        subprocess.run([*pip, "--python", str(environment), "install", str(wheel)], check=True)
        (packages,) = environment.glob("lib/python*/site-packages")
        sizes = {one.metadata["Name"]: installed_bytes(one) for one in distributions(path=[str(packages)])}
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"{name:24} {size / 1e6:7.1f} MB")
    print(f"{'total':24} {sum(sizes.values()) / 1e6:7.1f} MB")
    print(f"{'wheel':24} {wheel_mb:7.2f} MB, at most {MAX_WHEEL_MB}")
    sys.exit(wheel_mb > MAX_WHEEL_MB)


if __name__ == "__main__":
    main()
