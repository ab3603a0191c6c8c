"""What the app is made of: the same words in every language, nothing a five-year-old phone cannot read, all of it
kept for opening without a network, and nothing from anywhere else."""

from __future__ import annotations

import re

import pytest

from ecm.web.app_pages import FOLDER, NOT_IN_THE_SHELL, shell
from tests.web.app.doorstep import Doorstep

LANGUAGES = ("en", "cy", "pl", "ro")
LINE = re.compile(r'^  (\w+): "((?:[^"\\]|\\.)*)",$')
SCRIPTS = sorted(FOLDER.rglob("*.js"))

# Newer than ECMAScript 2020, or than the browsers of 2020: what a phone bought then may not read.
TOO_NEW = {
    "logical assignment": r"(\?\?|\|\||&&)=",
    "replaceAll, at, findLast": r"\.(replaceAll|at|findLast|toSorted|toReversed|hasOwn)\(",
    "private members": r"\bthis\.#|^\s+#\w+",
    "randomUUID, structuredClone": r"randomUUID|structuredClone",
    "awaiting at the top": r"^await ",
    "numbers with _ are ES2021": r"\b\d+_\d+",
    "static blocks": r"static \{",
    "weak references": r"WeakRef|FinalizationRegistry",
    "any": r"Promise\.any|AggregateError",
    "replaceChildren": r"replaceChildren",
}


def strings_of(language: str) -> dict[str, str]:
    lines = (FOLDER / "strings" / f"{language}.js").read_text("utf-8").splitlines()
    found = [hit.groups() for line in lines if (hit := LINE.match(line))]
    inside = [line for line in lines if line.startswith("  ") and not line.startswith("  //")]
    assert len(found) == len(inside), "one string a line"
    assert len(dict(found)) == len(found), "no key twice"
    return dict(found)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_every_string_with_the_same_gaps(language: str) -> None:
    english, other = strings_of("en"), strings_of(language)
    assert list(other) == list(english)
    gaps = {key: set(re.findall(r"\{\w+\}", words)) for key, words in english.items()}
    assert {key: set(re.findall(r"\{\w+\}", words)) for key, words in other.items()} == gaps
    assert all(words.strip() for words in other.values())
    same = {key for key, words in other.items() if words == english[key]}
    assert len(same) < 8, f"not translated: {same}"


def test_every_string_is_used_and_every_used_one_is_there() -> None:
    code = "".join(file.read_text("utf-8") for file in SCRIPTS if file.parent.name != "strings")
    english = strings_of("en")
    assert set(re.findall(r'\bt\("(\w+)"', code)) <= english.keys()
    assert {key for key in english if f'"{key}"' not in code} == set()


@pytest.mark.parametrize("what", TOO_NEW)
def test_an_old_phone_reads_every_script(what: str) -> None:
    found = [
        f"{file.name}: {hit.group()}"
        for file in SCRIPTS
        for hit in re.finditer(TOO_NEW[what], _without_comments(file.read_text("utf-8")), re.M)
    ]
    assert found == []


def test_nothing_is_loaded_from_elsewhere() -> None:
    addresses = {
        hit
        for file in FOLDER.rglob("*")
        if file.suffix in {".js", ".css"}
        for hit in re.findall(r"https?://[^\s\"')]+", file.read_text("utf-8"))
    }
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_everything_that_is_imported_is_in_the_shell() -> None:
    kept = {path.rpartition("/app/")[2] for path in shell()}
    for file in SCRIPTS:
        for imported in re.findall(r'from "(\.[^"]+)"', file.read_text("utf-8")):
            wanted = (file.parent / imported).resolve().relative_to(FOLDER)
            assert (FOLDER / wanted).is_file(), f"{file.name} imports {imported}"
            assert wanted.as_posix() in kept
    assert {file.name for file in FOLDER.iterdir() if file.is_file()} - NOT_IN_THE_SHELL <= kept


async def test_the_page_its_worker_and_its_manifest(doorstep: Doorstep) -> None:
    import httpx

    async with httpx.AsyncClient(base_url=doorstep.url) as browser:
        page = await browser.get("/app")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        worker = await browser.get("/app/sw.js")
        assert worker.headers["service-worker-allowed"] == "/"
        assert worker.headers["content-type"].startswith("text/javascript")
        assert worker.headers["cache-control"] == "no-cache"
        assert (
            "import " not in (await browser.get("/app/sw.js?plain=1")).text.split("// The service worker")[0]
        )
        manifest = (await browser.get("/app/manifest.webmanifest")).json()
        assert (manifest["start_url"], manifest["display"]) == ("/app", "standalone")
        for path in [*shell(), *(icon["src"] for icon in manifest["icons"])]:
            assert (await browser.get(path)).status_code == 200, path


async def test_a_tags_whole_address_goes_into_the_app(doorstep: Doorstep) -> None:
    import httpx

    async with httpx.AsyncClient(base_url=doorstep.url) as browser:
        answer = await browser.get("/t/K3Q7?e=A1&c=B2&x=a%26b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/app?tag=%2Ft%2FK3Q7%3Fe%3DA1%26c%3DB2%26x%3Da%2526b"


def _without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", re.sub(r"^\s*//.*$", "", text, flags=re.M), flags=re.S)
