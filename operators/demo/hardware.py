"""The charging stations of the demo: makes and models as they are sold, with their outlets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outlet:
    """An outlet as its socket states it; `watts`, `volts` and `amperes` are its limits."""

    type: str | None
    format: str | None
    power_type: str | None
    watts: int | None
    volts: int | None
    amperes: int | None


@dataclass(frozen=True, slots=True)
class Model:
    """`weight` says how often it stands in the network, next to the others."""

    manufacturer: str | None
    name: str | None
    serial: str
    firmware: tuple[str, ...]
    meter: str | None
    outlets: tuple[Outlet, ...]
    weight: int

    @property
    def is_fast(self) -> bool:
        return any(outlet.power_type == "DC" for outlet in self.outlets)


TYPE_2 = Outlet("Type2", "SOCKET", "AC_3_PHASE", 22_000, 400, 32)
TYPE_2_HALF = Outlet("Type2", "SOCKET", "AC_3_PHASE", 11_000, 400, 16)
TYPE_2_CABLE = Outlet("Type2", "CABLE", "AC_3_PHASE", 22_000, 400, 32)
HOME = Outlet("Type2", "CABLE", "AC_1_PHASE", 7_400, 230, 32)
SCHUKO = Outlet("Schuko", "SOCKET", "AC_1_PHASE", 2_300, 230, 10)
CHADEMO = Outlet("CHAdeMO", "CABLE", "DC", 50_000, 500, 125)
CCS_60 = Outlet("CCS2", "CABLE", "DC", 60_000, 1000, 200)
CCS_180 = Outlet("CCS2", "CABLE", "DC", 180_000, 920, 300)
CCS_300 = Outlet("CCS2", "CABLE", "DC", 300_000, 1000, 500)
UNDESCRIBED = Outlet(None, None, None, None, None, None)

MODELS = (
    Model("Alfen", "Eve Double Pro-line", "ACE", ("6.5.1-4233", "6.4.0-4210"), "Alfen internal", (TYPE_2, TYPE_2), 31),
    Model("Alfen", "Eve Single S-line", "ACE", ("6.5.1-4233",), "Alfen internal", (TYPE_2_HALF,), 7),
    Model("EVBox", "BusinessLine G4", "EVB-P", ("G4-1.12.4",), "Eastron SDM230", (TYPE_2_HALF, TYPE_2_HALF), 14),
    Model("Easee", "Charge Pro", "EH", ("310", "317"), None, (TYPE_2,), 5),
    Model("Mennekes", "Amtron Professional+", "AMT", ("5.22.3",), "Phoenix EEM-350", (TYPE_2_CABLE,), 5),
    Model(
        "Mennekes", "Amedio Professional+", "AMD", ("5.22.3",), "Phoenix EEM-350", (TYPE_2, TYPE_2, SCHUKO, SCHUKO), 14
    ),
    Model("Compleo", "eBox professional", "CEB", ("2.4.17",), "Iskra WM3M4", (TYPE_2,), 4),
    Model("ABB", "Terra AC W7", "TACW7", ("1.8.32",), None, (HOME,), 3),
    Model(
        "ABB", "Terra 184", "T184", ("4.2.9", "4.1.15"), "Isabellenhütte IEM-DCC", (CCS_180, CHADEMO, TYPE_2_CABLE), 10
    ),
    Model(
        "Alpitronic", "Hypercharger HYC300", "HYC", ("2.5.3",), "LEM DCBM 400", (CCS_300, CCS_300, CHADEMO, TYPE_2), 9
    ),
    Model("Kempower", "Satellite S-Series", "KMP", ("3.1.0",), "LEM DCBM 400", (CCS_180, CCS_180), 6),
    Model("Wallbox", "Supernova 60", "SPN", ("1.9.2",), None, (CCS_60,), 3),
    Model(None, None, "", (), None, (UNDESCRIBED, UNDESCRIBED), 4),
)

# Keys of OCPP 1.6 section 9, with a value as chargers report it and whether it can be changed.
CONFIGURATIONS = (
    ("HeartbeatInterval", "300", True),
    ("MeterValueSampleInterval", "60", True),
    ("NumberOfConnectors", "2", False),
    ("AuthorizeRemoteTxRequests", "true", True),
    ("ConnectorPhaseRotation", "1.RST,2.RTS", True),
    ("SupportedFeatureProfiles", "Core,FirmwareManagement,SmartCharging,RemoteTrigger", False),
    ("LocalAuthListEnabled", "false", True),
    ("AuthorizationKey", "", True),
)

# The names that OCPI 2.2.1 gives to capabilities (section 8.4.2).
AC_CAPABILITIES = ("RFID_READER", "REMOTE_START_STOP_CAPABLE", "UNLOCK_CAPABLE", "CHARGING_PROFILE_CAPABLE")
DC_CAPABILITIES = ("RFID_READER", "REMOTE_START_STOP_CAPABLE", "CONTACTLESS_CARD_SUPPORT", "RESERVABLE")
RELAYS = ("roaming-hub", "load-management", "parking-barrier")
