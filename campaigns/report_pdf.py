"""A report as a PDF, in the active language, from the same sections as its page."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

from django.utils.translation import gettext
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from campaigns import report_pages
from campaigns.models import Report
from campaigns.report_pages import Section
from config.base import clock, panels

# Every reader of PDF brings this font for Chinese, so nothing is embedded and files stay small.
FONT: Final = "STSong-Light"
_TEAL, _LINE, _SOFT = (colors.HexColor(text) for text in ("#0f766e", "#e2e8f0", "#f8fafc"))
_MUTED: Final = colors.HexColor("#64748b")
_WIDTH: Final = A4[0] - 36 * mm
_NUMBER_WIDTH: Final = 29 * mm

pdfmetrics.registerFont(UnicodeCIDFont(FONT))

_TITLE: Final = ParagraphStyle("title", fontName=FONT, fontSize=18, leading=24, textColor=_TEAL)
_SUB: Final = ParagraphStyle("sub", fontName=FONT, fontSize=9, leading=14, textColor=_MUTED)
_HEADING: Final = ParagraphStyle("heading", fontName=FONT, fontSize=12, leading=17, spaceBefore=10)
_CELL: Final = ParagraphStyle("cell", fontName=FONT, fontSize=9, leading=12)
_NUMBER: Final = ParagraphStyle("number", parent=_CELL, alignment=TA_RIGHT)
_NOTE: Final = ParagraphStyle(
    "note", fontName=FONT, fontSize=7.5, leading=10.5, textColor=_MUTED, wordWrap="CJK"
)
_GRID: Final = TableStyle([
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
    ("BACKGROUND", (0, 0), (-1, 0), _SOFT),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("TOPPADDING", (0, 0), (-1, -1), 3),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
])  # fmt: skip


def render(report: Report) -> bytes:
    """Return the PDF. The same figures and language give the same bytes.

    Source: KPI-14.
    """
    sections = report_pages.sections(report)
    story: list[Any] = [
        Paragraph(escape(report_pages.title_of(report)), _TITLE),
        Paragraph(escape(_subtitle(report)), _SUB),
    ]
    for section in sections:
        table = [Paragraph(escape(section.title), _HEADING), Spacer(1, 2 * mm), _table(section)]
        story.append(KeepTogether(table))
    story += _notes(sections)
    buffer = BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm,
        bottomMargin=18 * mm, title=report_pages.title_of(report), author=panels.programme_name(),
        invariant=1,
    )  # fmt: skip
    document.build(story, onFirstPage=_footer, onLaterPages=_footer)
    return buffer.getvalue()


def _subtitle(report: Report) -> str:
    made = gettext("Figures as of %(at)s") % {
        "at": f"{clock.local(report.generated_at):%Y-%m-%d %H:%M}"
    }
    name = panels.programme_name()
    return f"{name} · {made}" if name else made


def _table(section: Section) -> Table:
    cells = [_row(section.headings), *(_row(row) for row in section.rows)]
    numbers = len(section.headings) - 1
    widths = [_WIDTH - numbers * _NUMBER_WIDTH, *[_NUMBER_WIDTH] * numbers]
    return Table(cells, colWidths=widths, style=_GRID, repeatRows=1)


def _row(texts: Sequence[str]) -> list[Paragraph]:
    return [
        Paragraph(escape(text), _NUMBER if place else _CELL) for place, text in enumerate(texts)
    ]


def _notes(sections: Sequence[Section]) -> list[Any]:
    notes = [note for section in sections for note in section.notes]
    heading = Paragraph(escape(gettext("Definitions")), _HEADING)
    return [heading, *(Paragraph(escape(note), _NOTE) for note in notes)]


def _footer(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.saveState()
    canvas.setFont(FONT, 8)
    canvas.setFillColor(_MUTED)
    canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, f"{document.page}")
    canvas.restoreState()
