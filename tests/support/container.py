"""The container of the nightly job, without docker: the wheel in a Python of its own, and the folders that SageMaker gives."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from tests.support.nights import REPOSITORY


def install_wheel(folder: Path) -> Path:
    """Build the wheel and install it where neither the source tree nor an editable install can be seen; its command."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "python", with_pip=False)
    python = folder / "python" / "bin" / "python"
    # The packages of the lock, named as a folder: their .pth files, so an editable install too, are not read.
    (library,) = (folder / "python" / "lib").glob("python*/site-packages")
    (library / "lock.pth").write_text(sysconfig.get_path("purelib"))
    (folder / "python" / "share").mkdir(exist_ok=True)
    (folder / "python" / "share" / "jupyter").symlink_to(Path(sys.prefix) / "share" / "jupyter")  # nbconvert's templates
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--python", str(python), str(wheel)]
    subprocess.run(uv, check=True, capture_output=True, timeout=120)
    where = [str(python), "-c", "import sales_tech; print(sales_tech.__file__)"]
    found = subprocess.run(where, cwd=folder, check=True, capture_output=True, text=True).stdout
    assert Path(found.strip()).is_relative_to(library)
    return folder / "python" / "bin" / "sales-tech"


@dataclass(frozen=True)
class Container:
    """A Python with the wheel and what it needs, and an empty root."""

    program: Path
    root: Path

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The image's entry command, or another one, with the folders and the environment that SageMaker gives."""
        base = self.root / "opt" / "ml"
        for folder in ("config", "processing/input", "processing/output", "output"):
            (base / folder).mkdir(parents=True, exist_ok=True)
        given = {"PATH": os.defpath, "HOME": str(self.root), "SAGEMAKER_BASE_DIR": str(base), "LANG": "C.UTF-8", **variables}
        return subprocess.run(
            [str(self.program), *(words or ("night",))],
            env=given,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    @property
    def message(self) -> str | None:
        """What the job's description would show as the reason of its failure."""
        path = self.root / "opt" / "ml" / "output" / "message"
        return path.read_text() if path.exists() else None
