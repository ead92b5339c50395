"""Every benchmark, one after the other, as Markdown tables: python -m benchmarks (about ten minutes)."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    for module in pkgutil.iter_modules([str(HERE)]):
        if not module.name.startswith("_"):
            print(f"\n## {module.name}\n", flush=True)
            subprocess.run([sys.executable, "-m", f"benchmarks.{module.name}"], check=True, cwd=HERE.parent)


if __name__ == "__main__":
    main()
