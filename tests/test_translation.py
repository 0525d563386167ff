"""Everything that people read can be translated: no words outside of gettext, in templates and in what pages say."""

import ast
import re
from collections.abc import Iterator

from django.contrib import admin
from django.utils.functional import Promise

from tests.test_house import PACKAGES, ROOT, part_of

# Names, formats and units are the same in every language.
SAME_EVERYWHERE = {"Chargetree", "Charge", "tree", "CSV", "JSON", "MB", "UTC", "OCPP", "OCPI"}
WORD = re.compile(r"[^\W\d_]{2,}")

# What of a template nobody reads, in the order in which it is taken out; classes of the body are a block's only text.
UNREAD = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"{#.*?#}",
        r"{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}",
        r"{% block bodyclass %}.*?{% endblock %}",
        r"{%.*?%}|{{.*?}}",
        r"<!.*?>",
    )
]
READ_ATTRIBUTE = re.compile(r'\b(?:alt|title|placeholder|aria-label|data-text-[\w-]+)="([^"]*)"')
BUTTON = re.compile(r'<input type="submit"[^>]* value="([^"]*)"')

# Arguments and attributes that hold what people read, and functions with the place at which they are told it.
READ_NAMES = {"label", "help_text", "verbose_name", "verbose_name_plural", "description", "short_description", "title"}
READ_NAMES |= {"search_help_text", "site_header", "site_title", "index_title", "empty_value_display"}
SPEAKERS = {"ValidationError": 0, "InvalidSelection": 0, "message_user": 1, "add_error": 1}
SPEAKERS |= dict.fromkeys(("messages.success", "messages.info", "messages.warning", "messages.error"), 1)

# Who is spoken to in English: programs, with those who write them, and the console.
ENGLISH = {"serializers", "documents", "views", "flat", "resources", "api", "revision", "idempotency"}
ENGLISH |= {"management", "demo", "migrations"}


def unread_template(text: str) -> Iterator[str]:
    """What people read in a template that no gettext has seen."""
    for pattern in UNREAD:
        text = pattern.sub("", text)
    for found in (*READ_ATTRIBUTE.findall(text), *BUTTON.findall(text), *re.split(r"<[^>]*>|&\w+;", text)):
        if set(WORD.findall(found)) - SAME_EVERYWHERE:
            yield " ".join(found.split())


def unread_module(text: str) -> Iterator[str]:
    """What people read in a module that no gettext has seen."""
    for expression in said(ast.parse(text)):
        yield from (one for one in bare(expression) if set(WORD.findall(one)) - SAME_EVERYWHERE)


def said(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions of a module that people read."""
    for node in ast.walk(tree):
        is_named = isinstance(node, ast.keyword) and node.arg in READ_NAMES
        if is_named or (isinstance(node, ast.Assign) and {name_of(one) for one in node.targets} & READ_NAMES):
            yield node.value
        elif isinstance(node, ast.Call) and (place := SPEAKERS.get(name_of(node.func))) is not None:
            yield from node.args[place : place + 1]


def name_of(node: ast.expr) -> str:
    """The name of what is called or assigned, without what it belongs to; that of a message has its module."""
    if isinstance(node, ast.Attribute):
        return ast.unparse(node) if ast.unparse(node.value) == "messages" else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def bare(expression: ast.expr) -> Iterator[str]:
    """The texts of an expression that go through no function."""
    match expression:
        case ast.Constant(value=str(text)):
            yield text
        case ast.BinOp(left=left):
            yield from bare(left)
        case ast.IfExp(body=one, orelse=other):
            yield from (*bare(one), *bare(other))
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            yield from (text for part in parts for text in bare(part))
        case ast.JoinedStr(values=parts) | ast.BoolOp(values=parts) | ast.Dict(values=parts):
            yield from (text for part in parts for text in bare(part))


def test_it_works():
    """Each kind of words that somebody could forget is found, and nothing else."""
    template = """{% load i18n %}{# A comment #}<!doctype html>{% block bodyclass %}one two{% endblock %}
        <p class="nothing">Bare words <b>{% translate "Not these" %}</b>
        {% blocktranslate %}Nor these{% endblocktranslate %}
        <img alt="Bare picture"><a title="{% translate "Fine" %}" href="/some/where/">&nbsp;CSV</a>
        <input type="hidden" name="a" value="unseen"><input type="submit" value="Bare button"></p>"""
    assert list(unread_template(template)) == ["Bare picture", "Bare button", "Bare words"]
    module = """
title = "Bare title"
label = _("fine")
field = Field("name", help_text="Bare help" if a else _("fine"), verbose_name=f"bare {name}")
raise ValidationError("Bare %s" % name, code="code")
raise ValidationError({"field": ["Bare list"], "other": gettext("fine")})
form.add_error("field", "Bare error")
messages.success(request, "Bare message")
logger.warning("Not for people.", "Not this")
"""
    found = list(unread_module(module))
    assert sorted(found) == sorted(
        ["Bare title", "Bare help", "bare ", "Bare %s", "Bare list", "Bare error", "Bare message"]
    )


def test_no_template_has_words_of_its_own():
    paths = [path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt")]
    assert len(paths) > 80
    found = [f"{path.relative_to(ROOT)}: {text}" for path in paths for text in unread_template(path.read_text("utf-8"))]
    assert not found, "Wrap these in {% translate %}:\n" + "\n".join(found)


def test_no_page_has_words_of_its_own():
    paths = [path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    read = [path for path in paths if not {part_of(".".join(path.with_suffix("").parts)), *path.parts} & ENGLISH]
    assert len(read) > 110
    found = [f"{path}: {text}" for path in read for text in unread_module((ROOT / path).read_text("utf-8"))]
    assert not found, "Wrap these in gettext_lazy:\n" + "\n".join(found)


def test_what_actions_are_called_follows_the_language():
    """A text made while modules are read stays in the language of that moment."""
    pages = [page for page in admin.site._registry.values() if page.actions]
    assert len(pages) > 10
    for page in pages:
        for one in page.actions:
            action = getattr(page, one) if isinstance(one, str) else one
            assert isinstance(action.short_description, Promise), (page, one)
