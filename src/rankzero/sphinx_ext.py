"""The book's own Sphinx extension: light pages, the lesson bar, and real outputs in the guides.

- Icons: the theme ships every icon there is, as a script of 1.5 MB. A page gets a font of those that the
  book uses, cut from the theme's own font, and only their rules of the style sheet.
- Search: a page no longer loads the index of the whole book; the search page does.
- MathJax: only what a formula needs, from our own site, on pages with formulas.
- `{exercises}` and `{competencies}` stand for what `rankzero.exercises.pages` makes of their own files.
- `{cell-output}` shows what a cell of an executed lesson printed or drew, so that no guide holds typed-in output.
"""

from __future__ import annotations

import importlib.util
import logging as standard_logging
import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from fontTools import subset
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from rankzero import places, proc
from rankzero.exercises import pages

_MADE = re.compile(r"^```\{(exercises|competencies)\}[ ]*(\d*)\n```$", re.M)

_TERM = re.compile(r'\[([^]\[]+)\]\((?:\.\./chapters/)?glossary\.md \\?"([^"\\]+)\\?"\)')
"""A link into the glossary, as it stands in Markdown and, with quotes escaped, in a notebook."""

logger = logging.getLogger(__name__)

# Scripts that the theme would load on every page, by the end of their path.
ICON_SCRIPT = "scripts/fontawesome.js"
SEARCH_SCRIPTS = ("searchtools.js", "language_data.js", "searchindex.js")

THEME_STYLE = Path("_static/styles/pydata-sphinx-theme.css")
ICON_FONTS = Path("_static/vendor/fontawesome/webfonts")
# The parts that `loader` in _config.yml names, with what they load for some formulas. The first loads the others.
MATHJAX = (
    "startup.js",
    "core.js",
    "input/tex.js",
    "input/tex/extensions",
    "output/chtml.js",
    "output/chtml/fonts/tex.js",
    "output/chtml/fonts/woff-v2",
    "a11y/assistive-mml.js",
)


def without_scripts(html: str, *endings: str) -> str:
    """Return `html` without the script elements whose address ends in one of `endings`, a query left aside.

    Raises ValueError where one of them is not there: the theme has changed, and this module must follow.
    """
    for ending in endings:
        pattern = rf'[ \t]*<script\b[^>]*\bsrc="[^"?]*{re.escape(ending)}(?:\?[^"]*)?"[^>]*></script>\n?'
        html, count = re.subn(pattern, "", html)
        if count != 1:
            raise ValueError(f"the theme's page loads {ending} {count} times, not once: see {__name__}")
    return html


def with_one_name(html: str) -> str:
    """Return `html` with the search button named by what it shows: its label says less than that."""
    return re.sub(r'(<button\b[^>]*\bsearch-button-field\b[^>]*?)\s*aria-label="[^"]*"', r"\1", html)


def page_context(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the templates what they call, and the lesson bar what it shows."""

    def without_search(html: str) -> str:
        return html if pagename == "search" else without_scripts(html, *SEARCH_SCRIPTS)

    # Sphinx gives MathJax to a page also for the formulas of pages below it.
    if doctree is None or not any(doctree.findall(_is_formula)):
        context["script_files"] = [file for file in context["script_files"] if not _is_mathjax(file)]
    toctree = context.get("generate_toctree_html")
    if toctree is not None:
        context["generate_toctree_html"] = lambda *args, **options: _named_toggles(str(toctree(*args, **options)))
    if pagename in _notebooks(app):
        context["body"] = _with_lesson_bar(app, pagename, context)
    if "body" in context:  # the space before the exercise's name belongs to the sentence, not to the link
        context["body"] = re.sub(r"(<a\b[^>]*>) (Exercise )", r" \1\2", context["body"])
    context["without_icon_script"] = lambda html: without_scripts(html, ICON_SCRIPT)
    context["without_search"] = without_search
    context["with_one_name"] = with_one_name


def _is_formula(node: nodes.Node) -> bool:
    return isinstance(node, (nodes.math, nodes.math_block))


def _is_mathjax(script: Any) -> bool:
    """Whether a script loads MathJax, or is the line that sets it."""
    body = getattr(script, "attributes", {}).get("body") or ""
    return "mathjax/" in str(script) or body.startswith("window.MathJax")


def _named_toggles(html: str) -> str:
    """Return the sidebar with a name on each control that unfolds a chapter: the theme's have an icon only."""
    return html.replace("<summary>", '<summary aria-label="Pages of this chapter">')


def _notebooks(app: Sphinx) -> set[str]:
    return {name for name in app.env.found_docs if app.env.doc2path(name).endswith(".ipynb")}


def _with_lesson_bar(app: Sphinx, pagename: str, context: dict[str, Any]) -> str:
    """Return the page's body with a line under the title: minutes, when it was run, and the notebook itself."""
    path = Path(app.env.doc2path(pagename))
    metadata = nbformat.read(path, as_version=4).metadata
    facts = []
    minutes = metadata.get("rankzero", {}).get("minutes")
    if minutes:
        facts.append(f"{minutes} minutes")
    if path.name in (dates := _dates(app)):
        facts.append(f"stored {dates[path.name]}")
    facts.append("outputs compared on every test")
    link = f"{context['pathto']('_sources', 1)}/{context['sourcename']}"
    bar = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    bar += (
        f'<a class="lesson-download" href="{escape(link)}" download="{escape(path.name)}">'
        '<i class="fa-solid fa-download" aria-hidden="true"></i>Download this notebook</a>'
    )
    return str(context["body"]).replace("</h1>", f'</h1>\n<div class="lesson-bar">{bar}</div>', 1)


def _dates(app: Sphinx) -> dict[str, str]:
    """Return the day of the last commit of each notebook, by file name; none where git does not know all of history."""
    if not hasattr(app, "rankzero_dates"):
        dates: dict[str, str] = {}
        if shutil.which("git"):
            git = ["git", "-c", "safe.directory=*", "-C", str(app.srcdir)]
            shallow = proc.run([*git, "rev-parse", "--is-shallow-repository"])
            if shallow.ok and shallow.stdout.strip() == "false":
                log = proc.run([*git, "log", "--format=%cs", "--name-only", "--", "*.ipynb"]).stdout
                day = ""
                for line in log.splitlines():
                    if re.fullmatch(r"\d{4}-\d\d-\d\d", line):
                        day = line
                    elif line:
                        dates.setdefault(line.rsplit("/", 1)[-1], day)
        app.rankzero_dates = dates  # type: ignore[attr-defined]
    return app.rankzero_dates  # type: ignore[attr-defined,no-any-return]


# --- after the build ---------------------------------------------------------------------------------------------


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the light forms of what the theme ships, and copy the part of MathJax that pages load."""
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    _icons(site)
    _mathjax(site)


def _icons(site: Path) -> None:
    """Cut the theme's icon font, and its rules, down to the icons that the site uses."""
    import pydata_sphinx_theme

    theme = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
    style = (theme / "styles" / THEME_STYLE.name).read_text()
    texts = [path.read_text() for path in site.rglob("*.html")]
    texts += [path.read_text() for path in (site / "_static").rglob("*.js") if path.name != Path(ICON_SCRIPT).name]
    names = {name for text in texts for name in re.findall(r"\bfa-[a-z0-9-]+", text)}
    style, points = prune_icons(style, names)
    for other in (site / "_static").rglob("*.css"):
        if other.name != THEME_STYLE.name:
            points |= _private_points(other.read_text())
    style = re.sub(r"@font-face\{[^}]*Font Awesome[^}]*\}", "", style)
    fonts = site / ICON_FONTS
    faces = []
    for font_file, family, weight in (
        ("fa-solid-900.ttf", "Font Awesome 6 Free", 900),
        ("fa-regular-400.ttf", "Font Awesome 6 Free", 400),
        ("fa-brands-400.ttf", "Font Awesome 6 Brands", 400),
    ):
        font = TTFont(theme / "vendor/fontawesome/webfonts" / font_file)
        options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=points)
        cutter.subset(font)
        font.flavor = "woff"
        target = fonts / font_file.replace(".ttf", ".woff")
        font.save(target)
        faces.append(
            f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:normal;font-display:block;'
            f'src:url(../vendor/fontawesome/webfonts/{target.name}) format("woff")}}'
        )
    (site / THEME_STYLE).write_text(style + "".join(faces))
    for left_over in [*fonts.glob("*.ttf"), *fonts.glob("*.woff2"), *(site / "_static/scripts").glob("fontawesome*")]:
        left_over.unlink()


def prune_icons(style: str, names: set[str]) -> tuple[str, set[int]]:
    """Return the style sheet without the rules of icons that are not in `names`, and the code points that remain.

    A rule of an icon reads `.fa-bars:before,.fa-navicon:before{content:"…"}`, one or more names with one point.
    """

    def keep(rule: re.Match[str]) -> str:
        used = [selector for selector in rule[1].split(",") if selector.removesuffix(":before")[1:] in names]
        return ",".join(used) + rule[2] if used else ""

    pruned = re.sub(r'((?:\.fa-[a-z0-9-]+:before,?)+)(\{content:"[^"]*"\})', keep, style)
    return pruned, _private_points(pruned)


def _private_points(style: str) -> set[int]:
    """Return the code points of icons that a style sheet names, written out or escaped."""
    escaped = {int(point, 16) for point in re.findall(r"\\([0-9a-fA-F]{2,5})", style)}
    return {point for point in escaped | {ord(char) for char in style} if 0xE000 <= point <= 0xF8FF or point == 0x2B}


def _mathjax(site: Path) -> None:
    """Copy what formulas need; Sphinx asks for it only on pages that have one."""
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("MathJax is not in .venv: `make setup` brings it")
    source = Path(package.origin).parent / "static" / "mathjax"
    shutil.rmtree(site / "_static" / "mathjax", ignore_errors=True)
    for part in MATHJAX:
        target = site / "_static" / "mathjax" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            shutil.copytree(source / part, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source / part, target)


def configure(app: Sphinx, config: Config) -> None:
    """Point Sphinx to our own copy of MathJax."""
    config.mathjax_path = f"mathjax/{MATHJAX[0]}"


# --- outputs in guides -------------------------------------------------------------------------------------------


class CellOutput(SphinxDirective):
    """Shows what a cell of an executed lesson printed or drew: `{cell-output} ../notebooks/x.ipynb`, `:tag: name`.

    The tag must stand on one cell of the notebook only.
    """

    required_arguments = 1
    option_spec = {"tag": directives.unchanged_required, "language": directives.unchanged}  # noqa: RUF012
    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return the output as a literal block."""
        relative, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        try:
            picture = cell_picture(Path(path), self.options["tag"])
            text = "" if picture else cell_output(Path(path), self.options["tag"])
        except (OSError, KeyError, ValueError) as err:
            raise self.error(f"{self.arguments[0]}: {err}") from err
        if picture:
            html = f'<div class="cell_output"><div class="output text_html">{picture}</div></div>'
            return [nodes.raw("", html, format="html")]
        block = nodes.literal_block(text, text, language=self.options.get("language", "text"))
        block["classes"] += ["output", "text_plain"]
        self.set_source_info(block)
        return [block]


def tagged_cell(notebook: Path, tag: str) -> nbformat.NotebookNode:
    """Return the one cell with this tag. Raises ValueError where there is not one.

    A name in the cell's metadata, rankzero.name, does as well, and makes no proof of the lesson stale.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    names = [[*cell.metadata.get("tags", []), cell.metadata.get("rankzero", {}).get("name")] for cell in cells]
    tagged = [cell for cell, known in zip(cells, names, strict=True) if tag in known]
    if len(tagged) != 1:
        raise ValueError(f"{len(tagged)} cells have the tag {tag}, not one")
    return tagged[0]


def cell_picture(notebook: Path, tag: str) -> str:
    """Return the picture that the one cell with this tag drew, as an SVG element; empty where it drew none."""
    pages = [output.get("data", {}).get("text/html", "") for output in tagged_cell(notebook, tag).get("outputs", [])]
    return next((page for page in pages if page.startswith("<svg")), "")


def cell_output(notebook: Path, tag: str) -> str:
    """Return the text that the one cell with this tag printed when the notebook was executed.

    Raises ValueError where there is not one such cell, or it has no text.
    """
    text = ""
    for output in tagged_cell(notebook, tag).get("outputs", []):
        if output.output_type == "stream":
            text += output.text
        elif output.output_type == "error":
            text += re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback)) + "\n"
        else:
            text += output.data.get("text/plain", "") + "\n"
    if not text.strip():
        raise ValueError(f"the cell with the tag {tag} has no text as its output: `make execute` runs it")
    return text.rstrip()


def link_terms(app: Sphinx, docname: str, source: list[str]) -> None:
    """Make terms of links into the glossary, which lead to the page in the lab and to the very term in the book.

    `[ranks](../chapters/glossary.md "rank")`: JupyterLab knows no glossary, and Sphinx checks that there is the term.
    """
    source[0] = _TERM.sub(r"{term}`\1 <\2>`", source[0])


def make_parts(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put in what stands for exercises and competencies, and note what it is made from."""

    def made(found: re.Match[str]) -> str:
        app.env.dependencies[docname].update(
            str(path)
            for path in [places.ROOT / "competencies.toml", *(places.ROOT / "exercises").rglob("*")]
            if path.is_file() and "__pycache__" not in path.parts
        )
        return pages.exercises(found[2]) if found[1] == "exercises" else pages.competencies()

    source[0] = _MADE.sub(made, source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    standard_logging.getLogger("fontTools").setLevel(standard_logging.WARNING)  # it tells each table it cuts
    app.add_config_value("comments_config", {}, "html")  # Jupyter Book sets it, for an extension we leave out
    app.connect("config-inited", configure)
    app.connect("source-read", make_parts)
    app.connect("source-read", link_terms)
    app.connect("html-page-context", page_context, priority=900)  # after the theme's own
    app.connect("build-finished", finish, priority=900)
    app.add_directive("cell-output", CellOutput)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
