"""A hook of mkdocs: links to code or out of docs/ become the path in the repository, as the site has neither."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)\s]+)\)")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """The page's text with such links replaced."""
    docs = Path(config["docs_dir"]).resolve()
    folder = Path(page.file.abs_src_path).resolve().parent

    def replaced(link: re.Match[str]) -> str:
        text, target = link.group(1), (folder / link.group(2).split("#")[0]).resolve()
        if target.is_relative_to(docs) and target.is_file() and target.suffix != ".py":
            return link.group(0)
        path = target.relative_to(docs.parent).as_posix()
        return f"`{path}`" if text.strip("`") in (path, target.name) else f"{text} (`{path}`)"

    return LINK.sub(replaced, markdown)
