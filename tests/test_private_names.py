"""The private names of libraries on which the product depends: an upgrade that drops one fails here, by its name."""

import importlib

import pytest
from django.contrib.admin import AdminSite
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import models
from django.forms import BaseFormSet, BaseModelForm, Field
from django.http import HttpRequest
from django.test import RequestFactory
from mptt.managers import TreeManager
from mptt.models import MPTTModel
from rest_framework.request import Request

from hierarchy.models import Site
from tests.test_house import PACKAGES, modules


def overridden():
    """Private names that classes of the product define and that a library's class above them has, too."""
    found = set()
    for name in modules():
        if name.split(".")[0] not in PACKAGES or ".management.commands." in name:
            continue
        for cls in vars(importlib.import_module(name)).values():
            if not isinstance(cls, type) or cls.__module__ != name:
                continue
            above = [base for base in cls.__mro__[1:] if base.__module__.split(".")[0] not in PACKAGES]
            for private in vars(cls):
                if private.startswith("_") and not private.startswith("__"):
                    found |= {private for base in above if private in vars(base)}
    return found - MADE_BY_CLASSES


# What class creation itself leaves in every class.
MADE_BY_CLASSES = {"_abc_impl", "_declared_fields", "_is_protocol", "_meta", "_default_manager", "_base_manager"}
MADE_BY_CLASSES |= {"_mptt_meta", "_tree_manager", "_mptt_tracking_base", "_mptt_saved", "_fields", "_field_defaults"}
MADE_BY_CLASSES |= {"_member_names_", "_member_map_", "_value2member_map_", "_member_type_", "_value_repr_"}
MADE_BY_CLASSES |= {"_generate_next_value_", "_new_member_", "_unhashable_values_", "_use_args_", "_hashable_values_"}
MADE_BY_CLASSES |= {"_unhashable_values_map_", "_make", "_replace", "_asdict"}

# Every override with the class of the library that must have it.
OVERRIDDEN = {
    "_clean_bound_field": Field,
    "_close_gap": TreeManager,
    "_construct_form": BaseFormSet,
    "_make_hash_value": PasswordResetTokenGenerator,
    "_move_node": TreeManager,
    "_post_clean": BaseModelForm,
    "_set_content_type_params": HttpRequest,
}


def test_every_override_is_listed():
    assert overridden() == OVERRIDDEN.keys()


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_overridden_names_exist(name):
    owner = OVERRIDDEN[name]
    assert hasattr(owner, name), f"{owner.__name__}.{name} is gone: find what took its place."


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (TreeManager, "insert_node"),
        (TreeManager, "rebuild"),
        (TreeManager, "partial_rebuild"),
        (TreeManager, "build_tree_nodes"),
        (TreeManager, "disable_mptt_updates"),
        (TreeManager, "delay_mptt_updates"),
        (MPTTModel, "move_to"),
        (AdminSite, "_build_app_dict"),
        (models.Model, "_base_manager"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_called_names_exist(owner, name):
    assert hasattr(owner, name) or hasattr(Site, name), f"{owner.__name__}.{name} is gone: find what took its place."


def test_attributes_of_instances():
    site = Site()
    assert {"adding", "db", "fields_cache"} <= {*dir(site._state)}
    assert "parent" in site._mptt_cached_fields
    assert isinstance(Site._meta.get_field("payer_id")._validators, list)
    request = RequestFactory().post("/", b"x", content_type="application/json")
    assert hasattr(request, "_read_started") and hasattr(request, "_stream")
    assert Request(request)._request is request
