"""The admin of chargers, sockets and configurations."""

from chargers.admin.pages import ChargerAdmin, ChargerConfigurationAdmin, SocketAdmin

__all__ = ["ChargerAdmin", "ChargerConfigurationAdmin", "SocketAdmin"]
