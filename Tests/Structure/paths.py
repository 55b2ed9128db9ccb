#!/usr/bin/env python3
"""Source files and links that the documents name and that are not there; ends with 1 where there are any.

    Tests/Structure/paths.py [ROOT]     ROOT holds README.md, docs and Sources; this repository, if it is not said

A source file is named by the end of its path, `Step/Trainer.swift`; a link by the way from the page that has it.
"""
import re
import sys
from pathlib import Path


def main():
  root = Path(sys.argv[1]).resolve() if sys.argv[1:] else Path(__file__).resolve().parents[2]
  pages = [root / "README.md", *sorted((root / "docs").rglob("*.md")), *sorted((root / "Sources").rglob("*.md"))]
  hidden = re.compile(r"/\.")
  files = {"/" + str(f.relative_to(root)) for top in ("Sources", "Tests", "docs", "launch") for f in (root / top).rglob("*")}
  files = {name for name in files if not hidden.search(name)}
  missing = 0
  for page in pages:
    if not page.exists() or page.name == "CHANGELOG.md": continue
    is_code = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
      if line.startswith("```"): is_code = not is_code
      if is_code: continue
      line = re.sub(r"<?https?://[^\s>)]*>?", "", line)
      named = [name for name in re.findall(r"[\w./-]+\.(?:swift|c|h|py)\b", line) if "/" in name]
      linked = re.findall(r"\]\(([^)#\s]+)", line)
      wrong = [name for name in named if not any(f.endswith("/" + name.lstrip("./")) for f in files)]
      wrong += [link for link in linked if not (page.parent / link).exists()]
      for name in dict.fromkeys(wrong): print(f"{page.relative_to(root)}:{number}: there is no {name}"); missing = 1
  return missing


if __name__ == "__main__": sys.exit(main())
