"""Addresses of messages."""

from django.urls import path

from campaigns.api.messages import MessageReadView, MessagesView, ReceiptsView

urlpatterns = [
    path("members/<uuid:public_id>/messages", MessagesView.as_view(), name="member-messages"),
    path(
        "members/<uuid:public_id>/messages/<uuid:message_id>/read",
        MessageReadView.as_view(),
        name="message-read",
    ),
    path("messages/receipts", ReceiptsView.as_view(), name="message-receipts"),
]
