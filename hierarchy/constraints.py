"""Database constraints that Django does not bring: ties that must not cross customers."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.utils.translation import gettext_lazy as _


class SameCustomer(models.BaseConstraint):
    """`FOREIGN KEY (<field>_id, customer_id) REFERENCES <target> (id, customer_id)`.

    A null reference is not checked. The target model needs a unique constraint over (id, customer).
    """

    default_violation_error_message = _("Not found for this customer.")
    violation_error_code = "unknown"

    def __init__(self, *, field: str, name: str, **kwargs: Any) -> None:
        self.field = field
        super().__init__(name=name, **kwargs)

    @property
    def fields(self) -> tuple[str, str]:
        return self.field, "customer"

    def _clause(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> tuple[str, ...]:
        quote = schema_editor.quote_name
        reference: Any = model._meta.get_field(self.field)
        target = reference.related_model
        own_customer: Any = model._meta.get_field("customer")
        local = [reference.column, own_customer.column]
        remote = [target._meta.pk.column, target._meta.get_field("customer").column]
        return (
            ", ".join(map(quote, local)),
            quote(target._meta.db_table),
            ", ".join(map(quote, remote)),
        )

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        local, target, remote = self._clause(model, schema_editor)
        return (
            f"CONSTRAINT {schema_editor.quote_name(self.name)} FOREIGN KEY ({local}) "
            f"REFERENCES {target} ({remote}) DEFERRABLE INITIALLY DEFERRED"
        )

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        if schema_editor.connection.vendor == "sqlite":
            return None
        return Statement(
            "ALTER TABLE %(table)s ADD %(constraint)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            constraint=self.constraint_sql(model, schema_editor),
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        if schema_editor.connection.vendor == "sqlite":
            return None
        return Statement(
            "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s",
            table=Table(model._meta.db_table, schema_editor.quote_name),
            name=schema_editor.quote_name(self.name),
        )

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        if exclude and (self.field in exclude or "customer" in exclude):
            return
        reference = model._meta.get_field(self.field)
        target_id = getattr(instance, reference.attname)
        if target_id is None:
            return
        target = reference.related_model.unscoped.using(using)
        if not target.filter(pk=target_id, customer_id=instance.customer_id).exists():
            raise ValidationError({self.field: ValidationError(self.get_violation_error_message(), code="unknown")})

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "field": self.field}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameCustomer) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((self.name, self.field))
