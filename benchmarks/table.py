"""Prints rows as one table. Knows no benchmark."""

from collections.abc import Sequence

from benchmarks.rows import Row, ratio

HEAD = ("bench", "case", "figure", "", "beside", "", "ratio", "bar", "")


def render(rows: Sequence[Row]) -> str:
    """Return `rows` as a table of text, its numbers to the right."""
    lines = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if column in {3, 5, 6} else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _cells(row: Row) -> tuple[str, ...]:
    share = ratio(row)
    return (
        row.bench,
        row.case,
        row.what,
        f"{number(row.figure)} {row.unit}".strip(),
        row.beside,
        number(row.other) if row.other is not None else "",
        f"{share:.2f}" if share is not None else "",
        row.bar.words() if row.bar else "",
        {True: "met", False: "MISSED", None: ""}[row.met],
    )


def number(value: float) -> str:
    """Return a number with as many places as it deserves."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
