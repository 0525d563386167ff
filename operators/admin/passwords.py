"""Password forms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

_NEW = {"autocomplete": "new-password"}


class PasswordForm(forms.Form):
    """A new password with confirmation."""

    new_password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs=_NEW),
        help_text=password_validation.password_validators_help_text_html,
    )
    new_password_again = forms.CharField(
        label=_("Confirm password"), strip=False, widget=forms.PasswordInput(attrs=_NEW)
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, second = cleaned.get("new_password"), cleaned.get("new_password_again")
        if first != second and "new_password" in cleaned and "new_password_again" in cleaned:
            self.add_error("new_password_again", _("The passwords do not match. Enter both again."))
        return cleaned


class OptionalPasswordForm(PasswordForm):
    """An optional password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("new_password", "new_password_again"):
            self.fields[name].required = False
