from django.contrib import admin


class ChargetreeAdminSite(admin.AdminSite):
    pass
