"""What the admin's tests share: addresses, and submitting a form as the browser would."""

from django import forms
from django.contrib import admin
from django.urls import reverse

MODELS = list(admin.site._registry)


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def filled(response, **values):
    """What the browser would send for the form on a page, with some values typed over.

    A value for a line is given by its name in the form, as in `tags-0-id_tag`.
    """
    all_forms = [response.context["adminform"].form]
    for lines in response.context["inline_admin_formsets"]:
        all_forms += [lines.formset.management_form, *lines.formset.forms]
    data = {}
    for form in all_forms:
        for field in form:
            value = field.value()
            if isinstance(field.field.widget, forms.CheckboxInput):
                if value:
                    data[field.html_name] = "on"
            elif isinstance(field.field.widget, forms.CheckboxSelectMultiple):
                data[field.html_name] = tuple(value or ())
            else:
                data[field.html_name] = "" if value is None else field.field.widget.format_value(value)
    data = {name: value[0] if isinstance(value, list) else value for name, value in data.items()}
    data = {name: "" if value is None else value for name, value in data.items()}
    return {**data, **values}


def add_line(data, prefix, **values):
    """One more line of a kind, in what the browser sends."""
    number = int(data[f"{prefix}-TOTAL_FORMS"])
    data[f"{prefix}-TOTAL_FORMS"] = str(number + 1)
    data.update({f"{prefix}-{number}-{name}": value for name, value in values.items()})
    return data


def errors_of(response):
    """All messages of the form on a page, as plain text."""
    context = response.context
    found = [context["adminform"].form.errors]
    for lines in context["inline_admin_formsets"]:
        found += [form.errors for form in lines.formset.forms]
    return [message for errors in found for messages in errors.values() for message in messages]
