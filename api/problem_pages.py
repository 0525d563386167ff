"""The pages to which the `type` of a problem leads: what the error means and how to fix it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

# Every code that api.errors sends.
PAGES = {
    "bad-parameters": _(
        "Something in the address is not as the API expects it: an id that is not a number, a value that is neither "
        "true nor false, a parameter that does not exist. `errors` names each of them."
    ),
    "bad-body": _(
        "Something in the body of the request is not as the API expects it. `errors` names each wrong value by its "
        "JSON pointer."
    ),
    "not-authorised": _(
        "The request came without a key, or with one that opens nothing: unknown, revoked, expired, or of an operator "
        "who has been disabled. Send a valid key in the header X-API-Key. Platform staff have no access to the API."
    ),
    "not-permitted": _(
        "The key's operator may see this but not change it, or the key may only read. An admin operator can do it, or "
        "grant the site to this operator."
    ),
    "not-found": _(
        "There is nothing under this id or path, or nothing that the key's operator may see; the API does not tell "
        "the two apart."
    ),
    "conflict": _(
        "The request collides with what is there: somebody else changed the object first, another object stands in "
        "the way of a deletion, or a value is already in use. `detail` names it."
    ),
    "precondition-failed": _(
        "The object is not in the version that If-Match or If-None-Match names. Load it again and repeat the change."
    ),
    "scope-changed": _(
        "What the key's operator sees is not what this cursor was made for. Take a new one with since=latest and read "
        "the lists again."
    ),
    "method-not-allowed": _("This URL does not support the method. The Allow header lists the supported ones."),
    "not-acceptable": _("The API responds with application/json, which the Accept header of the request excludes."),
    "unsupported-media-type": _(
        "The API reads application/json, and where it takes files those of tables; the request's header Content-Type "
        "says otherwise. `detail` names what may stand there."
    ),
    "too-large": _(
        "The body of the request is larger than this address takes. Split a file of tables, or send it as XLSX or ZIP, "
        "which are packed."
    ),
    "length-required": _(
        "The body comes without its length, in chunks for example. Send the header Content-Length with it."
    ),
    "idempotency-key-reused": _(
        "A request with this Idempotency-Key came before, and it was another one: its method, address or body differ. "
        "Send every new request with a new key, and only its repeats with the same."
    ),
    "too-many-requests": _("Too many requests for this API key. Retry after the time in Retry-After."),
    "unavailable": _("The database is not available. Nothing was changed. Try again later."),
    "internal-error": _(
        "Something went wrong on our side. Nothing was changed. Report the request ID to the operators of the server."
    ),
}


def problem(request: HttpRequest, code: str) -> HttpResponse:
    """The page of one code."""
    if code not in PAGES:
        raise Http404
    return render(request, "problem.html", {"code": code, "meaning": PAGES[code]})
