"""The wheel holds every package, under the names that imports use."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
MAPPED: dict[str, str] = SETUPTOOLS["package-dir"]
FOLDERS = {"alto_langgraph": "alto_langgraph", **MAPPED}


def packages(name: str, folder: str) -> set[str]:
    """The packages under a folder that is imported as `name`, links left out, those that hold only type stubs included."""
    return {
        ".".join([name, *Path(place).relative_to(ROOT / folder).parts])
        for place, _, files in os.walk(ROOT / folder)
        if not {"__init__.py", "__init__.pyi"}.isdisjoint(files)
    }


def test_the_list_of_packages_is_complete() -> None:
    assert set(SETUPTOOLS["packages"]) == set().union(*(packages(*pair) for pair in FOLDERS.items()))


def test_the_list_of_packages_is_sorted_and_has_no_doubles() -> None:
    assert SETUPTOOLS["packages"] == sorted(set(SETUPTOOLS["packages"]))


@pytest.mark.parametrize(("name", "folder"), MAPPED.items())
def test_each_mapped_folder_is_linked_for_type_checkers(name: str, folder: str) -> None:
    assert (ROOT / name.replace(".", "/")).resolve() == ROOT / folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built from a copy of the sources, with the installed setuptools, so without a network."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in FOLDERS.values():
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy)
    build = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(copy / done.stdout.splitlines()[-1])


def test_the_wheel_holds_every_package(wheel: zipfile.ZipFile) -> None:
    inside = {str(Path(name).parent).replace(os.sep, ".") for name in wheel.namelist() if Path(name).stem == "__init__"}
    assert inside == set(SETUPTOOLS["packages"])


def test_the_wheel_puts_nothing_beside_the_package(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"alto_langgraph"}


def test_the_wheel_is_typed(wheel: zipfile.ZipFile) -> None:
    assert {"alto_langgraph/py.typed", "alto_langgraph/checkpoint/serde/base.pyi"} <= set(wheel.namelist())


def test_the_wheel_holds_every_file_that_is_not_code(wheel: zipfile.ZipFile) -> None:
    data = {
        f"{name.replace('.', '/')}/{(Path(place) / file).relative_to(ROOT / folder)}"
        for name, folder in FOLDERS.items()
        for place, _, files in os.walk(ROOT / folder)
        for file in files
        if not file.endswith((".py", ".pyc"))
    }
    assert data <= set(wheel.namelist())
