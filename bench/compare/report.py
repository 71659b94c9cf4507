"""Tables for the terminal and for Markdown, and pages of which a part is generated; for all benchmarks."""

import textwrap
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

WIDTH = 116  # of sentences in pages


@dataclass
class Table:
    """A title, a sentence, the heads of the columns and the rows."""

    title: str
    text: str
    heads: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """Return it as Markdown."""
        text = textwrap.fill(self.text, WIDTH)
        lines = [f"### {self.title}", "", text, "", f"| {' | '.join(self.heads)} |"]
        lines.append("|---|" + "---:|" * (len(self.heads) - 1))
        return "\n".join(lines + [f"| {' | '.join(row)} |" for row in self.rows]) + "\n"

    def show(self, console: Console) -> None:
        """Print it."""
        grid = RichTable(title=self.title, caption=self.text, title_justify="left", caption_justify="left")
        for at, head in enumerate(self.heads):
            grid.add_column(head, justify="right" if at else "left", no_wrap=not at)
        for row in self.rows:
            grid.add_row(*row)
        console.print(grid)


@dataclass(frozen=True)
class GeneratedPart:
    """The part of a page between two marks; a page without the marks is replaced by heading and part."""

    heading: str
    begin: str
    end: str

    def write(self, page: Path, text: str) -> None:
        """Write the text into the page."""
        before, after = f"# {self.heading}\n\n{self.begin}", self.end
        if page.exists():
            old = page.read_text(encoding="utf-8")
            if self.begin in old and self.end in old:
                before = old[: old.index(self.begin) + len(self.begin)]
                after = old[old.index(self.end) :]
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")
