"""The book: every page is opened in Chromium, as a reader without a network would.

One build serves the whole file: the book as it is committed, and a specimen chapter that has everything a page may
hold, so that what no lesson uses yet is looked at all the same. Pages are found by walking the site.
"""

import json
import os
import re
import shutil
import signal
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from rankzero import book, places, proc, sphinx_ext
from rankzero.pasted import pasted

pytestmark = pytest.mark.timeout(600)

MODES = ("light", "dark")
LIMIT = 500_000
"""Bytes, compressed, that the first load of a page may weigh."""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
EXPERIMENTAL = ["label-content-name-mismatch"]
"""A rule of WCAG 2.1 A that axe runs only when it is named."""
BUILT = {".git", ".venv", ".venv.new", "_build", "build", "work"}

LONG = "x" * 200


# -- the specimen ------------------------------------------------------------------------------------------

GUIDE = """
# Specimen guide

A {term}`rank`, [a lesson](lesson.ipynb), [a part of it](lesson.ipynb#what-you-learned), and {eq}`amdahl`.

```{literalinclude} ../c_examples/specimen.c
:language: c
:start-after: "// [part]"
:end-before: "// [/part]"
```

```{cell-output} lesson.ipynb
:tag: specimen-hello
```

```{cell-output} lesson.ipynb
:tag: specimen-picture
```

```bash
mpirun -n 4 ./a-command-that-is-too-long-for-a-narrow-screen --with an --option and another --one
```

$$T(n) = \\alpha + \\beta n$$

```{math}
:label: amdahl
S(p) = \\begin{cases} 1 & p = 1 \\\\ \\dfrac{1}{(1 - f) + f / p} & \\text{otherwise} \\end{cases}
```

:::{note}
Note.
:::

:::{tip}
Tip.
:::

:::{warning}
Warning.
:::

:::{seealso}
See also.
:::

::::{tab-set}
:::{tab-item} Open MPI
`mpirun.openmpi`
:::
:::{tab-item} MPICH
`mpirun.mpich`
:::
::::

| one | two | three, with a heading that is long | four, with one that is longer still | five |
|---|---|---|---|---|
| 1 | 2 | 3 | `a_name_without_any_place_to_break_it` | `another_name_without_any_place` |
"""

PROGRAM = """int main(void) {
    // [part]
    int specimen = 4;
    // [/part]
    return specimen;
}
"""

TRACEBACK = [
    "\x1b[31m---------------------------------------------------------------------------\x1b[39m",
    "\x1b[31mValueError\x1b[39m                                Traceback (most recent call last)",
    "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[3]\x1b[39m\x1b[32m, line 1\x1b[39m",
    "\x1b[32m----> 1\x1b[39m \x1b[38;5;28;01mraise\x1b[39;00m",
    f"\x1b[31mValueError\x1b[39m: {LONG}",
]
COLOURS = "".join(f"\x1b[{code}mcolour {code}\x1b[0m\n" for code in (*range(30, 38), *range(90, 98), 1))
SVG = '<svg role="img" aria-label="A line." viewBox="0 0 900 90" width="900" height="90"><path d="M0 0 900 90"/></svg>'
SVG_FILE = f'<svg xmlns="http://www.w3.org/2000/svg" {SVG.removeprefix("<svg ")}'
SOLUTION = """
````{exercise} Count the ranks
:label: specimen-count

How many ranks are there?
````

````{solution} specimen-count
:class: dropdown

Four, as this shows:

```bash
mpirun -n 4 hostname
```
````
"""


def specimen_lesson():
    def code(source, *outputs, tags=()):
        cell = new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)} if tags else {})
        cell.execution_count = 1
        return cell

    def shows(**data):
        kinds = {"html": "text/html", "svg": "image/svg+xml", "plain": "text/plain", "latex": "text/latex"}
        return new_output("display_data", data={kinds[name]: text for name, text in data.items()})

    def prints(text, name="stdout"):
        return new_output("stream", name=name, text=text)

    cells = [
        new_markdown_cell("# Specimen lesson\n\n## You will be able to\n\n- look at it, with $p = 4$ ranks"),
        code("print('hello')", prints("Hello from rank 0 of 4\nHello from rank 1 of 4\n"), tags=["specimen-hello"]),
        code(
            "1 / 0", new_output("error", ename="ValueError", evalue="", traceback=TRACEBACK), tags=["raises-exception"]
        ),
        code("%%bash\nfor n in 1 2; do\n  echo $n | cat >&2\ndone", prints("1\n2\n", name="stderr"), prints(COLOURS)),
        code(f"'{LONG}'", shows(plain=f"'{LONG}'")),
        code("picture()", shows(html=SVG, plain="a line"), tags=["specimen-picture"]),
        code("file()", shows(svg=SVG_FILE, plain="a line")),
        code("table()", shows(html="<table><tr><th>rank</th></tr><tr><td>0</td></tr></table>", plain="table")),
        code("formula()", shows(latex="$$x^2$$", plain="x²")),
        new_markdown_cell(f"## Try it\n{SOLUTION}"),
        new_markdown_cell("## What you learned\n\nAll of it.\n\n## Next\n\n[The guide](guide.md)"),
    ]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    language = {"name": "python", "pygments_lexer": "ipython3"}
    return new_notebook(
        cells=cells, metadata={"kernelspec": kernelspec, "language_info": language, "rankzero": {"minutes": 20}}
    )


def copy_of_the_book(target):
    """Copy what the book is made of, as far as it is here, into `target`."""
    shutil.copytree(
        places.ROOT,
        target,
        ignore=lambda folder, names: {n for n in names if n in BUILT or n == "__pycache__" or n.endswith("_cache")},
    )
    return target


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The book's source, with the specimen chapter at its end."""
    root = copy_of_the_book(tmp_path_factory.mktemp("book") / "source")
    folder = root / "specimen"
    folder.mkdir()
    (folder / "guide.md").write_text(GUIDE)
    (root / "c_examples" / "specimen.c").write_text(PROGRAM)
    nbformat.write(specimen_lesson(), folder / "lesson.ipynb")
    part = "  - caption: Specimen\n    chapters: [{file: specimen/guide, sections: [{file: specimen/lesson}]}]\n"
    with (root / "_toc.yml").open("a") as toc:
        toc.write(part)
    return root


@pytest.fixture(scope="module")
def site(source, tmp_path_factory):
    return book.build(source, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def server(site):
    with book.Server(site.folder) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


# -- the browser -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    """Chromium, in its own sandbox where the kernel lets it have one: not as root and not in most containers."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine, so no page is opened: apt-get install chromium")
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        launch = playwright.chromium.launch
        if os.geteuid() == 0:
            running = launch(executable_path=program, chromium_sandbox=False)
        else:
            try:
                running = launch(executable_path=program, chromium_sandbox=True)
            except Error:
                running = launch(executable_path=program, chromium_sandbox=False)
        with running:
            yield running


@pytest.fixture
def page(browser):
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


@dataclass
class Visit:
    """What a page did when it was opened."""

    console: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    wider: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    loaded: set[str] = field(default_factory=set)
    weight: int = 0


WIDER_THAN_SCREEN = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const wide = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > root.clientWidth);
  return [`${root.scrollWidth} px`, ...wide.slice(0, 5).map(e => `${e.tagName} ${e.className}`)];
}"""


TYPESETTING = "!window.MathJax || Boolean(window.MathJax.startup && window.MathJax.startup.promise)"
READY = "async () => { if (window.MathJax) await MathJax.startup.promise; await document.fonts.ready; }"


EMPTY = """() => [...document.querySelectorAll(".cell_output .output")]
  .filter(e => !e.innerText.trim() && !e.querySelector("img, svg, canvas, video"))
  .map(e => `${e.className} below ${e.closest(".cell").querySelector("pre")?.innerText.slice(0, 60)}`)"""


def violations(tab, only):
    """Return what axe finds on a page as it is shown now."""
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for violation in Axe().run(tab, options=only).response["violations"]:
        for node in violation["nodes"]:
            why = next(iter(node["any"] + node["all"] + node["none"]), {}).get("message", "")
            found.append(f"{violation['id']}: {node['html'][:150]} {why}")
    return found


def visit(browser, url, base):
    """Open a page once, and look at it: as it loads, in both modes, and on a narrow screen."""
    seen, answers, watching = Visit(), [], [True]

    def note(where, text, wanted=True):
        if wanted and watching:  # what axe itself asks for and says is no business of the page's
            where.append(text)

    with browser.new_context(color_scheme="light", viewport={"width": 1280, "height": 900}) as context:
        tab = context.new_page()
        tab.on("console", lambda message: note(seen.console, message.text, message.type in ("error", "warning")))
        tab.on("pageerror", lambda error: note(seen.console, str(error)))
        tab.on("requestfailed", lambda request: note(seen.failed, f"{request.url}: {request.failure}"))
        tab.on("request", lambda request: note(seen.outside, request.url, not request.url.startswith((base, "data:"))))
        tab.on("response", lambda answer: note(answers, answer))
        tab.goto(url, wait_until="load")
        tab.wait_for_function(TYPESETTING)
        tab.evaluate(READY)
        for answer in answers:
            path = urllib.parse.urlsplit(answer.url).path
            seen.loaded.add(path)
            seen.weight += book.transfer_size(path, answer.body())
            note(seen.failed, f"{answer.status} {path}", answer.status >= 400)
        watching.clear()
        tab.add_style_tag(content="* { transition: none !important; animation: none !important; }")
        rules = {rule: {"enabled": True} for rule in EXPERIMENTAL}
        seen.violations += violations(tab, {"runOnly": {"type": "tag", "values": WCAG}, "rules": rules})
        seen.empty = tab.evaluate(EMPTY)
        tab.emulate_media(color_scheme="dark")
        tab.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        dark = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
        seen.violations += [f"in the dark, {fault}" for fault in violations(tab, dark)]
        tab.set_viewport_size({"width": 390, "height": 844})
        seen.wider = tab.evaluate(WIDER_THAN_SCREEN)
    return seen


@pytest.fixture(scope="module")
def visits(browser, server, site):
    """Every page of the site, opened."""
    names = [path.relative_to(site.folder).as_posix() for path in site.pages()]
    return {name: visit(browser, server.url + name, server.url) for name in names}


def faults(visits, what):
    """Return what is wrong, with the pages on which it is; usually one thing on all of them."""
    pages = defaultdict(list)
    for name, seen in visits.items():
        for fault in getattr(seen, what):
            pages[fault].append(name)
    return [f"{fault}\n        on {', '.join(names[:3])}, {len(names)} in all" for fault, names in pages.items()]


def test_no_page_says_anything_in_the_console(visits):
    assert not faults(visits, "console")


def test_every_file_that_a_page_asks_for_is_there(visits):
    assert not faults(visits, "failed")


def test_no_page_asks_anybody_else_for_anything(visits):
    assert not faults(visits, "outside")


def test_every_page_is_accessible_in_both_modes(visits):
    assert not faults(visits, "violations")


def test_no_page_is_wider_than_a_telephone(visits):
    assert not faults(visits, "wider")


def test_no_output_is_shown_as_an_empty_box(visits):
    assert not faults(visits, "empty")


def test_every_page_is_light(visits, site, summary):
    weights = {name: seen.weight for name, seen in visits.items()}
    heaviest = max((name for name in weights if not name.startswith("specimen/")), key=lambda name: weights[name])
    summary(f"book: {len(weights)} pages, the heaviest is {heaviest}, {weights[heaviest] / 1000:.0f} kB compressed")
    with_formulas = weights["specimen/guide.html"] / 1000
    summary(
        f"book: the landing page weighs {weights['index.html'] / 1000:.0f} kB, a page with formulas {with_formulas:.0f}"
    )
    assert {name: weight for name, weight in weights.items() if weight >= LIMIT} == {}
    # What `make book` says without a browser is near what a browser sees.
    said = {name: book.weight(site.folder / name) for name in weights}
    assert {name: said[name] for name in said if abs(said[name] - weights[name]) > 25_000} == {}


def test_formulas_cost_only_the_pages_that_have_some(visits, site):
    loading = {name for name, seen in visits.items() if any("/mathjax/" in path for path in seen.loaded)}
    with_formula = {
        path.relative_to(site.folder).as_posix() for path in site.pages() if 'class="math ' in path.read_text()
    }
    assert loading == with_formula
    assert "index.html" not in loading


def test_the_index_of_the_whole_book_is_loaded_by_the_search_only(visits):
    loading = {name for name, seen in visits.items() if any("searchindex" in path for path in seen.loaded)}
    assert loading == {"search.html"}


def test_icons_are_a_font_of_those_that_are_used(visits, site):
    loaded = {path for seen in visits.values() for path in seen.loaded}
    assert not [path for path in loaded if "fontawesome.js" in path]
    fonts = [site.folder / path.lstrip("/") for path in loaded if "fontawesome" in path]
    assert fonts
    assert sum(font.stat().st_size for font in fonts) < 10_000


def test_every_icon_that_is_shown_has_a_picture(page, server):
    page.goto(f"{server.url}specimen/lesson.html", wait_until="networkidle")
    missing = page.evaluate(
        """() => [...document.querySelectorAll("[class*='fa-']")].filter(e => {
             const empty = ["none", '""'].includes(getComputedStyle(e, "::before").content);
             return empty && e.matches(".fa-solid, .fas, .fa-brands, .fab, .fa-regular, .far");
           }).map(e => e.className)"""
    )
    assert missing == []
    assert page.evaluate("document.fonts.check('900 1em \"Font Awesome 6 Free\"', '\\uf0c9')")


BLIND = """<!doctype html><html lang="en" data-theme="light"><title>t</title>
<link rel="stylesheet" href="gone.css"><script src="http://127.0.0.2:9/x.js"></script>
<script>console.error("a complaint"); document.documentElement.dataset.theme = "dark"</script>
<main><h1>h</h1><p style="color:#999;background:#fff">grey</p><button aria-label="Other">Text</button>
<div style="width:600px">wide</div><div class="cell"><div class="cell_output"><div class="output"></div></div></div>
</main>"""


def test_an_eye_that_sees_nothing_would_be_noticed(browser, tmp_path):
    (tmp_path / "bad.html").write_text(BLIND)
    with book.Server(tmp_path) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        seen = visit(browser, f"{running.url}bad.html", running.url)
        running.shutdown()
        thread.join()
    assert "a complaint" in seen.console
    assert "404 /gone.css" in seen.failed
    assert seen.outside == ["http://127.0.0.2:9/x.js"]
    assert {fault.split(":")[0] for fault in seen.violations} >= {"color-contrast", "label-content-name-mismatch"}
    assert seen.wider[0].endswith(" px")
    assert len(seen.empty) == 1
    assert seen.weight > 0


# -- what a reader does ------------------------------------------------------------------------------------


def test_the_mode_follows_the_system_until_a_reader_chooses(browser, server):
    with browser.new_context(color_scheme="dark") as context:
        tab = context.new_page()
        tab.goto(server.url)
        ground = "getComputedStyle(document.body).backgroundColor"
        modes = []
        for _ in range(3):
            tab.locator("button.theme-switch-button:visible").first.click()
            modes.append(
                tab.evaluate("[document.documentElement.dataset.mode, document.documentElement.dataset.theme]")
            )
        assert sorted(modes) == [["auto", "dark"], ["dark", "dark"], ["light", "light"]]
        while tab.evaluate("document.documentElement.dataset.mode") != "light":
            tab.locator("button.theme-switch-button:visible").first.click()
        chosen = tab.evaluate(ground)
        tab.goto(f"{server.url}specimen/lesson.html")
        assert tab.evaluate("document.documentElement.dataset.theme") == "light"
        assert tab.evaluate(ground) == chosen


def test_the_search_finds_a_word_without_a_network(page, server):
    page.goto(server.url)
    page.locator("button.search-button-field:visible").click()
    page.locator("dialog input[type=search]").fill("communicator")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    hits = page.locator("#search-results li a").all_inner_texts()
    assert any("Glossary" in hit for hit in hits), hits
    page.locator("#search-results li a").first.click()
    page.wait_for_load_state("networkidle")
    assert page.locator("article .highlighted").count() > 0


@pytest.mark.parametrize("mode", MODES)
def test_what_the_search_found_can_be_read(browser, server, mode):
    from axe_playwright_python.sync_playwright import Axe

    with browser.new_context(color_scheme=mode) as context:
        tab = context.new_page()
        tab.goto(f"{server.url}chapters/glossary.html?highlight=rank", wait_until="networkidle")
        assert tab.locator("article .highlighted").count() > 0
        found = Axe().run(tab, context="article", options={"runOnly": WCAG}).response["violations"]
        assert [node["html"] for violation in found for node in violation["nodes"]] == []


@pytest.mark.parametrize("how", ["click", "Enter", "Space"])
def test_a_solution_is_closed_and_opens(page, server, how):
    page.goto(f"{server.url}specimen/lesson.html", wait_until="networkidle")
    answer = page.get_by_text("Four, as this shows")
    button = page.locator(".solution.dropdown button.toggle-button")
    assert not answer.is_visible()
    assert button.get_attribute("aria-expanded") == "false"
    if how == "click":
        page.locator(".solution.dropdown .admonition-title").click(position={"x": 20, "y": 10})
    else:
        button.focus()
        page.keyboard.press(how)
    answer.wait_for(state="visible")
    assert button.get_attribute("aria-expanded") == "true"


def test_paper_is_white_and_shows_all_solutions_and_no_sidebar(page, server):
    page.emulate_media(color_scheme="dark")
    page.goto(f"{server.url}specimen/lesson.html", wait_until="networkidle")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    page.get_by_text("Four, as this shows").wait_for(state="visible")
    assert not page.locator(".bd-sidebar-primary").is_visible()
    assert not page.locator(".bd-sidebar-secondary").is_visible()
    assert not page.get_by_role("link", name="Download this notebook").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_download_is_the_committed_notebook(page, server, site, source):
    lessons = [path for path in site.pages() if (source / path.relative_to(site.folder)).with_suffix(".ipynb").exists()]
    assert lessons
    for lesson in lessons:
        name = lesson.relative_to(site.folder)
        page.goto(server.url + name.as_posix())
        with page.expect_download() as download:
            page.get_by_role("link", name="Download this notebook").click()
        assert download.value.suggested_filename == f"{name.stem}.ipynb"
        assert Path(download.value.path()).read_bytes() == (source / name).with_suffix(".ipynb").read_bytes()


def test_code_scrolls_in_its_own_box(page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server.url}specimen/guide.html", wait_until="networkidle")
    box = page.locator("pre", has_text="a-command-that-is-too-long")
    assert box.evaluate(
        "e => e.scrollWidth > e.clientWidth && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX)"
    )


def test_formulas_are_typeset_and_have_words_for_a_screen_reader(page, server):
    page.goto(f"{server.url}specimen/guide.html", wait_until="networkidle")
    page.wait_for_selector("mjx-container mjx-assistive-mml math")
    assert page.locator("mjx-container").count() == page.locator(".math").count() == 2
    assert page.locator("mjx-merror").count() == 0


# -- what is on a page -------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Collects the names that a page has and the links that it holds."""

    def __init__(self, path):
        super().__init__()
        self.names, self.links = set(), []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.names |= {given[key] for key in ("id", "name") if given.get(key)}
        self.links += [given[key] for key in ("href", "src") if given.get(key)]


def broken_links(folder):
    """Return the internal links of a site that lead nowhere."""
    parsed = {path: Page(path) for path in book.pages(folder)}
    broken = []
    for path, page_ in parsed.items():
        for link in page_.links:
            to = urllib.parse.urlsplit(link)
            if to.scheme or to.netloc:
                continue
            target = (path.parent / urllib.parse.unquote(to.path)).resolve() if to.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = urllib.parse.unquote(to.fragment)
            if not target.is_file() or (anchor and target in parsed and anchor not in parsed[target].names):
                broken.append(f"{path.relative_to(folder)}: {link}")
    return broken


def test_every_internal_link_and_anchor_holds(site):
    assert broken_links(site.folder) == []


def test_a_broken_link_would_be_seen(site, tmp_path):
    (tmp_path / "a.html").write_text('<h1 id="here"></h1><a href="#here"></a><a href="b.html"></a><a href="#gone"></a>')
    assert broken_links(tmp_path) == ["a.html: b.html", "a.html: #gone"]


def test_the_book_holds_what_the_toc_names_and_no_more(site, source):
    built = {path.relative_to(site.folder).with_suffix("").as_posix() for path in site.pages()}
    named = set(re.findall(r"(?:root|file): ([\w./-]+)", (source / "_toc.yml").read_text()))
    assert built == {name.removesuffix(".md").removesuffix(".ipynb") for name in named} | {"genindex", "search"}


def test_program_text_comes_from_the_file_that_is_tested(site):
    text = re.sub(r"<[^>]+>", "", (site.folder / "specimen/guide.html").read_text())
    assert "int specimen = 4;" in text
    assert "[part]" not in text


def test_an_output_in_a_guide_comes_from_the_lesson_that_ran(site):
    guide = (site.folder / "specimen/guide.html").read_text()
    assert "Hello from rank 1 of 4" in guide
    assert SVG in guide


@pytest.mark.parametrize(("tag", "why"), [("nowhere", "0 cells have the tag"), ("silent", "no text as its output")])
def test_an_output_that_is_not_there_is_refused(tmp_path, tag, why):
    cell = new_code_cell("x = 1", metadata={"tags": ["silent"]})
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "lesson.ipynb")
    with pytest.raises(ValueError, match=why):
        sphinx_ext.cell_output(tmp_path / "lesson.ipynb", tag)


def test_a_name_in_the_metadata_does_as_well_as_a_tag(tmp_path):
    printed = [new_output("stream", text="seen\n")]
    cell = new_code_cell("x", metadata={"rankzero": {"name": "x-seen"}}, outputs=printed)
    nbformat.write(new_notebook(cells=[cell, new_code_cell("y")]), tmp_path / "lesson.ipynb")
    assert sphinx_ext.cell_output(tmp_path / "lesson.ipynb", "x-seen").strip() == "seen"


def test_the_theme_is_the_one_that_was_trimmed():
    kept = '<head>\n<script src="x.js"></script>'
    page_ = kept.replace("\n", '\n  <script defer src="../_static/scripts/fontawesome.js?digest=1"></script>\n')
    assert sphinx_ext.without_scripts(page_, "fontawesome.js") == kept
    with pytest.raises(ValueError, match=r"loads fontawesome\.js 0 times"):
        sphinx_ext.without_scripts("<head>", "fontawesome.js")


def test_rules_of_icons_that_nobody_uses_go():
    style = '.a{color:red}.fa-bars:before,.fa-navicon:before{content:"\\f0c9"}.fa-cat:before{content:"\\f6be"}.b{}'
    pruned, points = sphinx_ext.prune_icons(style, {"fa-bars"})
    assert pruned == '.a{color:red}.fa-bars:before{content:"\\f0c9"}.b{}'
    assert points == {0xF0C9}


# -- building and showing ----------------------------------------------------------------------------------


def test_an_edit_is_built_without_the_rest(source, site, summary):
    text = (source / "specimen/guide.md").read_text()
    (source / "specimen/guide.md").write_text(text.replace("Note.", "Another note."))
    again = book.build(source, site.folder.parents[1])
    summary(f"book: built from clean in {site.seconds:.1f} s, after one edit in {again.seconds:.1f} s")
    assert "Another note." in (again.folder / "specimen/guide.html").read_text()


def tiny_book(folder, text):
    shutil.copytree(places.ROOT / "_static", folder / "_static")
    shutil.copytree(places.ROOT / "_templates", folder / "_templates")
    shutil.copy(places.ROOT / "_config.yml", folder)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (folder / "index.md").write_text(text)
    return folder


WARNINGS = """# A

{term}`nobody`

[there](nowhere.md)

```{cell-output} none.ipynb
:tag: x
```

"""


def test_every_warning_fails_the_build_and_says_where(tmp_path):
    (tmp_path / "source").mkdir()
    with pytest.raises(book.BookError) as failure:
        book.build(tiny_book(tmp_path / "source", WARNINGS), tmp_path / "out")
    said = str(failure.value)
    assert "index.md:3: WARNING: term not in glossary: 'nobody'" in said
    assert "index.md:5: WARNING" in said
    assert "index.md:7: ERROR: none.ipynb" in said


def test_without_jupyter_book_the_way_out_is_said(monkeypatch):
    monkeypatch.setattr(book.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(book.BookError, match="make setup"):
        book.build()


def test_a_taken_port_makes_it_the_next(tmp_path):
    with book.Server(tmp_path) as first, book.Server(tmp_path, first.server_port) as second:
        assert first.server_port < second.server_port < first.server_port + 100
        assert second.server_address[0] == "127.0.0.1"


def test_serving_ends_with_an_interrupt_and_leaves_nothing(tmp_path):
    (tmp_path / "index.html").write_text("<p>here")
    # The reaper ignores SIGINT, and what it starts inherits that; a terminal's program does not.
    program = "import signal, sys; from pathlib import Path; from rankzero import book; "
    program += "signal.signal(signal.SIGINT, signal.default_int_handler); "
    program += "sys.exit(book.show(book.Site(Path(sys.argv[1]), 0), 0))"
    with proc.Supervisor() as supervisor:
        said = supervisor.run_dir.path / "said"
        supervisor.start("serve", [sys.executable, "-c", program, tmp_path], stdout=said)
        give_up = time.monotonic() + 30
        while not (url := re.match(r"http://127\.0\.0\.1:\d+/", said.read_text() if said.exists() else "")):
            assert time.monotonic() < give_up, "no address was printed"
            time.sleep(0.02)
        with urllib.request.urlopen(url[0]) as answer:
            assert answer.read() == b"<p>here"
        supervisor.signal("serve", signal.SIGINT)
        end = supervisor.wait("serve", 30)
        assert end is not None
        assert end["returncode"] == 0
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(url[0])


def test_the_workflow_is_one(tmp_path):
    workflow = places.ROOT / ".github/workflows/book.yml"
    checker = shutil.which("check-jsonschema", path=f"{places.VENV}/bin") or "check-jsonschema"
    argv = [checker, "--builtin-schema", "vendor.github-workflows"]
    proc.run([*argv, workflow], check=True)
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(workflow.read_text().replace("runs-on:", "run-on:"))
    assert not proc.run([*argv, wrong]).ok


# -- nothing typed by hand ---------------------------------------------------------------------------------

RIGHT = {
    "commands": "```bash\nmake lab\nmake test\n```",
    "a comment": "```bash\n# as yourself\nmake lab\n```",
    "a variable": "```bash\nOMP_NUM_THREADS=4 mpirun -n 2 ./a.out\n```",
    "a long command": "```bash\nmpirun -n 4 \\\n    --bind-to core ./a.out |\n  sort\n```",
    "a loop": "```bash\nfor n in 1 2; do\n  mpirun -n $n ./a.out\ndone\n```",
    "a here-document": "```bash\ncat <<EOF >x\nHello there\nEOF\n```",
    "quoted over lines": "```bash\necho 'one\nTwo'\n```",
    "an included program": "```{literalinclude} ../x.c\n:language: c\n```",
    "an output of a run": "```{cell-output} ../notebooks/x.ipynb\n:tag: t\n```",
    "a formula": "```{math}\nx = 1\n```",
    "commands in a solution": "````{solution} x\n:class: dropdown\n\n```bash\nmake\n```\n````",
    "prose": "Type `make`.\n\n- one\n\n  more of it\n",
}
WRONG = {
    "no language": "```\nHello from rank 0 of 4\n```",
    "console": "```console\n$ ls\na b\n```",
    "text": "```text\nrank 0: 3\n```",
    "output": "```output\n6\n```",
    "indented": "Look:\n\n    rank 0 of 4\n    rank 1 of 4\n",
    "tildes": "~~~\nrank 0 of 4\n~~~",
    "a prompt": "```bash\n$ make\n```",
    "a long prompt": "```bash\nuser@node1:~/x$ make\n```",
    "an output below its command": "```bash\nmpirun -n 1 ./hello\nHello from rank 0 of 1\n```",
    "an error below its command": "```bash\nmake\nmake: *** No rule to make target 'x'.  Stop.\n```",
    "a program": "```python\nprint(1)\n```",
    "a block by directive": "```{code-block} console\n$ ls\n```",
    "in an admonition": ":::{note}\n```text\nrank 0\n```\n:::",
    "in a solution": "````{solution} x\n:class: dropdown\n\n```\n6\n```\n````",
    "in a list": "1. Do it:\n\n   ```\n   rank 0\n   ```\n",
    "in a quotation": "> ```\n> rank 0\n> ```",
    "HTML": "<pre>rank 0</pre>",
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_may_stand_on_a_page(name):
    assert pasted(RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_what_nothing_ran_is_refused(name):
    found = pasted(WRONG[name])
    assert len(found) == 1
    assert re.match(r"line \d+: .*(typed|pasted|prompt|output|as it stands)", found[0])


def test_the_line_of_a_fault_is_right():
    assert pasted("# A\n\ntext\n\n````{tip}\n\n```\nout\n```\n````\n")[0].startswith("line 7:")


def pages_in_markdown():
    """Yield the text of every guide and of every Markdown cell of a lesson, with its place."""
    for path in [places.ROOT / "index.md", *sorted((places.ROOT / "chapters").rglob("*.md"))]:
        yield path.name, path.read_text()
    for path in sorted((places.ROOT / "notebooks").rglob("*.ipynb")):
        for number, cell in enumerate(json.loads(path.read_text())["cells"], 1):
            if cell["cell_type"] != "code":
                yield f"{path.name}, cell {number}", "".join(cell["source"])


def test_no_page_shows_what_nothing_ran():
    assert [f"{place}: {fault}" for place, text in pages_in_markdown() for fault in pasted(text)] == []
