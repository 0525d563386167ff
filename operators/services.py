"""Writing what only operators have: passwords and API keys. Everything else goes through hierarchy.services.

Secrets are stored hashed, redacted in the journal, and never made or changed by a key.
"""

import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hierarchy import journal, services
from hierarchy.errors import Conflict, NotPermitted
from hierarchy.fields import validate_text
from hierarchy.scoping import Caller
from operators import keys, links, sign_in
from operators.models import ApiKey, Operator


def operator_create(caller: Caller, operator: Operator, password: str | None) -> Operator:
    """Save a new operator who can sign in with `password`; with None, who is invited to choose one."""
    _refuse_keys(caller)
    if password is not None:
        _set_password(operator, password)
    else:
        operator.set_unusable_password()
        operator.invited_at = timezone.now() if operator.is_active else None
    return services.save(caller, operator)


def operator_invite(caller: Caller, operator: Operator) -> Operator:
    """Note that an operator gets a new link to choose a password, which ends the links before it."""
    _refuse_keys(caller)
    if not operator.is_active:
        raise Conflict(_("%(operator)s is disabled. Activate the operator first.") % {"operator": operator})
    operator.invited_at = timezone.now()
    return services.save(caller, operator)


def operator_set_password(caller: Caller, operator: Operator, password: str) -> Operator:
    """Give an operator another password, which ends the operator's sessions.

    The own one anybody may change, and nothing else with it: `operator` is read again before.
    """
    _refuse_keys(caller)
    if operator.pk != caller.scope.operator_id:
        _set_password(operator, password)
        return services.save(caller, operator)
    with journal.recording(caller):
        operator.refresh_from_db()
        _set_password(operator, password)
        operator.save()
    return operator


def operator_choose_password(caller: Caller, operator: Operator, token: str, password: str) -> Operator:
    """Give the operator whom a link leads to a password. The link ends with it, and so does a lock.

    Raises Conflict when the link has been used, or has run out, in the meantime.
    """
    with journal.recording(caller):
        row = Operator.unscoped.select_for_update(of=("self",)).filter(pk=operator.pk).first()
        if row is None or not links.is_valid(row, token):
            raise Conflict(_("This link was already used or has expired. Request a new one."))
        _set_password(row, password)
        row.save()
        sign_in.forgive(caller, row)
    return row


def account_rename(caller: Caller, operator: Operator, name: str) -> Operator:
    """Change what oneself is called, which anybody may, and nothing else with it."""
    services.refuse_read_only(caller.scope)
    with journal.recording(caller):
        operator.refresh_from_db()
        operator.name = name
        operator.clean_fields(exclude={field.name for field in operator._meta.fields} - {"name"})
        operator.save()
    return operator


def api_key_create(
    caller: Caller,
    operator: Operator,
    name: str,
    *,
    is_read_only: bool = False,
    expires_at: datetime.datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key that acts as `operator`. The key's text is in the answer and nowhere else."""
    _refuse_keys(caller)
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires_at": _("In the past. Choose a later time, or none.")})
    key = ApiKey(operator=operator, name=name, is_read_only=is_read_only, expires_at=expires_at)
    return _with_new_text(caller, key)


def api_key_rotate(caller: Caller, key: ApiKey) -> tuple[ApiKey, str]:
    """Give a key a new text; the old one opens nothing from now on."""
    _refuse_keys(caller)
    if not key.is_valid:
        raise Conflict(_("%(key)s was revoked or has expired. Create a new key instead.") % {"key": key})
    return _with_new_text(caller, key)


def api_key_revoke(caller: Caller, key: ApiKey) -> ApiKey:
    """End a key, now and for ever. One that was revoked before keeps its moment."""
    _refuse_keys(caller)
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
    return services.save(caller, key)


def _with_new_text(caller: Caller, key: ApiKey) -> tuple[ApiKey, str]:
    text = keys.new_key()
    key.hint, key.digest = keys.hint(text), keys.digest(text)
    return services.save(caller, key), text


def _set_password(operator: Operator, password: str) -> None:
    try:
        validate_text(password)
        validate_password(password, operator)
    except ValidationError as error:
        raise ValidationError({"password": error.error_list}) from None
    operator.set_password(password)


def _refuse_keys(caller: Caller) -> None:
    if caller.source == journal.API:
        raise NotPermitted(_("API keys and passwords are managed in the admin or by command, not with an API key."))
