"""Pages 000 and 002 as one writes them with Django REST framework by the book: prefetched rows, django-mptt's cached
trees, nested ModelSerializers and the JSON renderer. It shares nothing with the product but models and access."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import F, Prefetch
from django.db.models.functions import Collate
from mptt.utils import get_cached_trees
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import Driver, IntegratedExternalId, Tag
from hierarchy.models import Site
from hierarchy.request_context import context_of
from hierarchy.scoping import Scope
from operators.models import Operator

SPARE = {"id": 0, "groupName": "SpareGroup", "groupType": None, "externalId": ""}


class TimestampField(serializers.DateTimeField):
    """UTC with milliseconds where there are any; `none` stands for no moment."""

    def __init__(self, *, none: str | None = None, **kwargs: Any) -> None:
        self.none = none
        super().__init__(read_only=True, **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        moment = super().get_attribute(instance)
        return self.none if moment is None else moment

    def to_representation(self, value: Any) -> Any:
        if isinstance(value, datetime.datetime):
            timespec = "milliseconds" if value.microsecond else "seconds"
            return value.astimezone(datetime.UTC).isoformat(timespec=timespec).removesuffix("+00:00") + "Z"
        return value


class LocationSerializer(serializers.ModelSerializer):
    streetAddress = serializers.CharField(source="street_address")
    streetNumber = serializers.CharField(source="street_number")
    houseLetter = serializers.CharField(source="house_letter")
    postalNumber = serializers.CharField(source="postal_number")

    class Meta:
        model = Charger
        fields = (
            "latitude",
            "longitude",
            "streetAddress",
            "streetNumber",
            "houseLetter",
            "postalNumber",
            "city",
            "area",
            "country",
        )


class ConfigurationSerializer(serializers.ModelSerializer):
    configName = serializers.CharField(source="name")
    configValue = serializers.CharField(source="value")
    canBeChanged = serializers.BooleanField(source="can_be_changed")

    class Meta:
        model = ChargerConfiguration
        fields = ("configName", "configValue", "canBeChanged")


class SocketSerializer(serializers.ModelSerializer):
    id = serializers.IntegerField(source="number")
    maxPower = serializers.CharField(source="max_power")
    deviceEvseId = serializers.IntegerField(source="device_evse_id")
    deviceConnectorId = serializers.IntegerField(source="device_connector_id")
    socketPowerType = serializers.CharField(source="power_type")
    maxWatts = serializers.IntegerField(source="max_power_w")
    maxVoltage = serializers.IntegerField(source="max_voltage_v")
    maxAmperage = serializers.IntegerField(source="max_current_a")
    phaseRotation = serializers.CharField(source="phase_rotation")
    termsAndConditions = serializers.CharField(source="terms_and_conditions")
    lastUpdated = TimestampField(source="reported_at", none="0001-01-01T00:00:00Z")
    chargingStationEvseId = serializers.IntegerField(source="charging_station_evse_id")

    class Meta:
        model = Socket
        fields = (
            "type",
            "maxPower",
            "status",
            "id",
            "name",
            "deviceEvseId",
            "deviceConnectorId",
            "format",
            "socketPowerType",
            "maxWatts",
            "maxVoltage",
            "maxAmperage",
            "phaseRotation",
            "termsAndConditions",
            "lastUpdated",
            "chargingStationEvseId",
        )


class ChargerSerializer(serializers.ModelSerializer):
    chargerId = serializers.CharField(source="charger_id")
    chargerName = serializers.CharField(source="name")
    groupId = serializers.IntegerField(source="site_id")
    groupName = serializers.CharField(source="site.name")
    firmwareVersion = serializers.CharField(source="firmware_version")
    publicGroupName = serializers.CharField(source="site.public_name")
    serialNumber = serializers.CharField(source="serial_number")
    chargerModel = serializers.CharField(source="model")
    amountOfSockets = serializers.SerializerMethodField()
    lastSeen = TimestampField(source="last_seen", none="0001-01-01T00:00:00Z")
    lastMessage = serializers.CharField(source="last_message")
    activeConnection = serializers.BooleanField(source="has_active_connection")
    chargerStatus = serializers.CharField(source="status")
    locationInfo = LocationSerializer(source="*")
    pushIntegrationEnabled = serializers.BooleanField(source="is_push_integration_enabled")
    chargerSpecificMessageStructure = serializers.BooleanField(source="has_specific_message_structure")
    chargerConfigurations = ConfigurationSerializer(source="configurations", many=True)
    sockets = SocketSerializer(many=True)
    evseId = serializers.CharField(source="evse_id")
    splitEvseBySocket = serializers.BooleanField(source="is_evse_split_by_socket")
    physicalReference = serializers.CharField(source="physical_reference")
    integrationRelays = serializers.JSONField(source="integration_relays")
    meterSerialNumber = serializers.CharField(source="meter_serial_number")
    meterType = serializers.CharField(source="meter_type")
    customProperties = serializers.SerializerMethodField()

    class Meta:
        model = Charger
        fields = (
            "id",
            "chargerId",
            "chargerName",
            "groupId",
            "groupName",
            "firmwareVersion",
            "publicGroupName",
            "manufacturer",
            "serialNumber",
            "chargerModel",
            "amountOfSockets",
            "lastSeen",
            "lastMessage",
            "activeConnection",
            "chargerStatus",
            "locationInfo",
            "pushIntegrationEnabled",
            "chargerSpecificMessageStructure",
            "chargerConfigurations",
            "sockets",
            "evseId",
            "splitEvseBySocket",
            "capabilities",
            "physicalReference",
            "integrationRelays",
            "iccid",
            "imsi",
            "meterSerialNumber",
            "meterType",
            "customProperties",
        )

    def get_amountOfSockets(self, charger: Charger) -> int:
        return len(charger.sockets.all())

    def get_customProperties(self, charger: Charger) -> dict[str, str]:
        return dict(sorted(charger.custom_properties.items()))


class GroupSerializer(serializers.ModelSerializer):
    """What every kind of group has: its subsites, by the same serializer, and the site's own columns."""

    subgroups = serializers.SerializerMethodField()
    groupName = serializers.CharField(source="name")
    groupType = serializers.IntegerField(source="group_type")
    externalId = serializers.CharField(source="external_id")

    def get_subgroups(self, site: Site) -> list[Any]:
        return [self.to_representation(subsite) for subsite in site.ordered_subsites]


class SiteSerializer(GroupSerializer):
    onlineSocket = serializers.IntegerField(source="online")
    offlineSocket = serializers.IntegerField(source="offline")
    errorSocket = serializers.IntegerField(source="error")
    chargers = ChargerSerializer(many=True)
    payerId = serializers.IntegerField(source="payer_id")
    costId = serializers.CharField(source="cost_id")
    costName = serializers.CharField(source="cost_name")
    paymentRecipientId = serializers.IntegerField(source="payment_recipient_id")

    class Meta:
        model = Site
        fields = (
            "onlineSocket",
            "offlineSocket",
            "errorSocket",
            "subgroups",
            "chargers",
            "payerId",
            "costId",
            "costName",
            "paymentRecipientId",
            "id",
            "groupName",
            "groupType",
            "externalId",
        )


class TagSerializer(serializers.ModelSerializer):
    idTag = serializers.CharField(source="id_tag")
    expiringDate = TimestampField(source="expires_at", none="9999-12-31T23:59:59Z")
    startDate = TimestampField(source="starts_at")
    lastUpdated = TimestampField(source="last_updated")
    tokenName = serializers.CharField(source="token_name")
    invoicable = serializers.BooleanField(source="is_invoicable")

    class Meta:
        model = Tag
        fields = ("id", "idTag", "expiringDate", "startDate", "lastUpdated", "tokenName", "invoicable")


class ExternalIdSerializer(serializers.ModelSerializer):
    referenceType = serializers.IntegerField(source="reference_type")
    referenceId = serializers.CharField(source="reference_id")
    externalId = serializers.CharField(source="external_id")
    effectiveFrom = TimestampField(source="effective_from")

    class Meta:
        model = IntegratedExternalId
        fields = ("referenceType", "referenceId", "externalId", "effectiveFrom")


class HomeSerializer(serializers.ModelSerializer):
    """Who may have a home site."""

    homeGroupId = serializers.SerializerMethodField()
    homeGroupName = serializers.SerializerMethodField()

    def get_homeGroupId(self, person: Driver | Operator) -> int:
        return person.home_site_id or 0

    def get_homeGroupName(self, person: Driver | Operator) -> str:
        return person.home_site.name if person.home_site else ""


class DriverSerializer(HomeSerializer):
    externalId = serializers.CharField(source="external_id")
    tags = TagSerializer(many=True)
    chargerGroups = SiteSerializer(source="granted_sites", many=True)
    chargers = ChargerSerializer(source="granted_chargers", many=True)
    payerId = serializers.IntegerField(source="payer_id")
    integratedExternalIds = ExternalIdSerializer(source="external_ids", many=True)

    class Meta:
        model = Driver
        fields = (
            "id",
            "name",
            "homeGroupId",
            "homeGroupName",
            "externalId",
            "tags",
            "chargerGroups",
            "chargers",
            "payerId",
            "integratedExternalIds",
        )


class ColleagueSerializer(HomeSerializer):
    operatorId = serializers.CharField(source="operator_id")
    emailAddress = serializers.CharField(source="email")
    isAdminOperator = serializers.BooleanField(source="is_admin_operator")
    groups = serializers.SerializerMethodField()

    class Meta:
        model = Operator
        fields = (
            "id",
            "name",
            "operatorId",
            "emailAddress",
            "homeGroupId",
            "homeGroupName",
            "isAdminOperator",
            "groups",
        )

    def get_groups(self, operator: Operator) -> list[Any]:
        return []


class AuthorisedSiteSerializer(GroupSerializer):
    operators = ColleagueSerializer(source="colleagues", many=True)
    users = DriverSerializer(source="residents", many=True)
    chargers = ChargerSerializer(many=True)

    class Meta:
        model = Site
        fields = ("subgroups", "operators", "users", "chargers", "id", "groupName", "groupType", "externalId")


class OperatorSerializer(ColleagueSerializer):
    groups = AuthorisedSiteSerializer(source="authorised_sites", many=True)  # type: ignore[assignment]


class OperatorGroupSerializer(GroupSerializer):
    isSpare = serializers.SerializerMethodField()
    operators = OperatorSerializer(source="colleagues", many=True)

    class Meta:
        model = Site
        fields = ("isSpare", "subgroups", "operators", "id", "groupName", "groupType", "externalId")

    def get_isSpare(self, site: Site) -> bool:
        return False


def in_order(sites: Iterable[Site]) -> list[Site]:
    return sorted(sites, key=lambda site: (site.name_key, site.pk))


def read_sites(scope: Scope) -> tuple[list[Site], dict[int, Site]]:
    """The visible sites with their chargers and counts: the roots in order, and all by id."""
    chargers = Charger.objects.visible_to(scope).order_by("name_key", "charger_id_key")
    chargers = chargers.prefetch_related(
        Prefetch("sockets", Socket.objects.order_by("number")),
        Prefetch("configurations", ChargerConfiguration.objects.order_by("name_key")),
    )
    sites = list(
        Site.objects.visible_to(scope).order_by("tree_id", "lft").prefetch_related(Prefetch("chargers", chargers))
    )
    roots = in_order(get_cached_trees(sites))
    for root in roots:
        complete(root)
    return roots, {site.pk: site for site in sites}


def complete(site: Site) -> None:
    """Put the subsites of the site in order and count the sockets: the same below it, and then the sums."""
    site.ordered_subsites = in_order(site.get_children())
    site.online = site.offline = site.error = 0
    for charger in site.chargers.all():
        for socket in charger.sockets.all():
            statuses = (charger.status, socket.status)
            if not charger.has_active_connection or charger.last_seen is None or "Offline" in statuses:
                site.offline += 1
            elif "Error" in statuses:
                site.error += 1
            else:
                site.online += 1
    for subsite in site.ordered_subsites:
        complete(subsite)
        site.online += subsite.online
        site.offline += subsite.offline
        site.error += subsite.error


def by_bytes(column):
    """The order of the contract whatever the database's locale."""
    return Collate(column, "C") if connection.vendor == "postgresql" else F(column)


def read_drivers(scope: Scope, sites: dict[int, Site]) -> None:
    """Give every site the drivers who are at home there, each with tags, external ids and rights."""
    drivers = (
        Driver.objects.visible_to(scope)
        .order_by("name_key", "pk")
        .select_related("home_site")
        .prefetch_related(
            Prefetch("tags", Tag.objects.order_by(by_bytes("token_name"), by_bytes("id_tag"), "pk")),
            Prefetch("external_ids", IntegratedExternalId.objects.order_by("reference_type", by_bytes("reference_id"))),
            "site_rights",
            "charger_rights",
        )
    )
    chargers = {charger.pk: charger for site in sites.values() for charger in site.chargers.all()}
    for driver in drivers:
        driver.granted_sites = in_order(sites[right.site_id] for right in driver.site_rights.all())
        driver.granted_chargers = sorted(
            (chargers[right.charger_id] for right in driver.charger_rights.all()),
            key=lambda charger: (charger.name_key, charger.charger_id_key),
        )
        if driver.home_site_id:
            sites[driver.home_site_id].residents.append(driver)


class SiteTreeView(APIView):
    """Page 000 for an admin operator."""

    renderer_classes = (JSONRenderer,)

    def get(self, request: Request) -> Response:
        roots, _sites = read_sites(context_of(request._request).caller.scope)
        return Response(SiteSerializer(roots, many=True).data)


class OperatorTreeView(APIView):
    """Page 002 with the hierarchy for an admin operator."""

    renderer_classes = (JSONRenderer,)

    def get(self, request: Request) -> Response:
        scope = context_of(request._request).caller.scope
        roots, sites = read_sites(scope)
        for site in sites.values():
            site.colleagues, site.residents = [], []
        read_drivers(scope, sites)
        operators = (
            Operator.objects.visible_to(scope)
            .order_by("name_key", "pk")
            .select_related("home_site")
            .prefetch_related("grants")
        )
        spare = []
        for operator in operators:
            granted = in_order(sites[grant.site_id] for grant in operator.grants.all())
            operator.authorised_sites = roots if operator.is_admin_operator else granted
            (sites[operator.home_site_id].colleagues if operator.home_site_id else spare).append(operator)

        groups = OperatorGroupSerializer(in_order(topmost_homes(roots)), many=True).data
        spare_operators = OperatorSerializer(spare, many=True).data
        if spare:
            groups.append({"isSpare": True, "subgroups": [], "operators": spare_operators, **SPARE})
        return Response({"operatorGroups": groups, "spareOperators": spare_operators})


def topmost_homes(sites: Iterable[Site]) -> list[Site]:
    """The sites where an operator is at home, or below each where none is, the next ones that are."""
    homes = []
    for site in sites:
        homes += [site] if site.colleagues else topmost_homes(site.ordered_subsites)
    return homes
