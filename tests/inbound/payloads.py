"""Messages as the shops' public documentation describes them, and how they are signed."""

import base64
import copy
import hashlib
import hmac
import itertools
import json
from typing import Any
from urllib.parse import quote_plus

_ids = itertools.count(1)

SHOPIFY_ORDER: dict[str, Any] = {
    "id": 820982911946154508,
    "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
    "name": "#9999",
    "order_number": 1234,
    "email": "jon@example.com",
    "phone": None,
    "created_at": "2026-03-05T12:00:00-05:00",
    "updated_at": "2026-03-05T12:00:02-05:00",
    "cancelled_at": None,
    "currency": "CNY",
    "financial_status": "paid",
    "fulfillment_status": None,
    "test": False,
    "total_price": "408.95",
    "subtotal_price": "398.95",
    "taxes_included": True,
    "customer": {
        "id": 115310627314723954,
        "email": "john@example.com",
        "phone": "+8613800138000",
        "first_name": "John",
        "last_name": "Smith",
    },
    "line_items": [
        {
            "id": 866550311766439020,
            "product_id": 632910392,
            "variant_id": 808950810,
            "sku": "IPOD2008PINK",
            "title": "IPod Nano - 8GB",
            "vendor": "Apple",
            "quantity": 2,
            "price": "199.00",
            "gift_card": False,
            "discount_allocations": [
                {"amount": "10.00", "discount_application_index": 0},
                {"amount": "5.05", "discount_application_index": 1},
            ],
        },
        {
            "id": 141249953214522974,
            "product_id": 632910393,
            "variant_id": None,
            "sku": "",
            "title": "Cable",
            "vendor": None,
            "quantity": 1,
            "price": "16.00",
            "gift_card": False,
            "discount_allocations": [],
        },
    ],
    "shipping_lines": [
        {"id": 271878346596884015, "title": "Express", "price": "10.00", "discount_allocations": []}
    ],
    "shipping_address": {"name": "John Smith", "address1": "123 Shipping Street", "zip": "40003"},
}
SHOPIFY_REFUND: dict[str, Any] = {
    "id": 890088186047892319,
    "order_id": 820982911946154508,
    "created_at": "2026-03-06T10:00:00-05:00",
    "note": "Things were damaged",
    "refund_line_items": [
        {
            "id": 866550311766439021,
            "line_item_id": 866550311766439020,
            "quantity": 1,
            "subtotal": 191.47,
            "line_item": {"id": 866550311766439020, "price": "199.00"},
        }
    ],
    "transactions": [{"id": 245135271310201194, "amount": "191.47", "kind": "refund"}],
}
YOUZAN_PAID: dict[str, Any] = {
    "full_order_info": {
        "order_info": {
            "tid": "E20260305120000012345678",
            "status": "WAIT_SELLER_SEND_GOODS",
            "created": "2026-03-05 11:58:00",
            "pay_time": "2026-03-05 12:00:00",
            "update_time": "2026-03-05 12:00:01",
            "type": 0,
        },
        "pay_info": {"payment": "298.00", "post_fee": "8.00", "total_fee": "318.00"},
        "buyer_info": {
            "buyer_phone": "13800138001",
            "yz_open_id": "9kvs2yyy123456789",
            "fans_nickname": "小王",
        },
        "orders": [
            {
                "oid": "2856781235467283123",
                "item_id": 453125231,
                "sku_id": 36121233,
                "outer_sku_id": "TEA-250",
                "title": "高山茶 250g",
                "num": 2,
                "price": "150.00",
                "total_fee": "300.00",
                "payment": "280.00",
            },
            {
                "oid": "2856781235467283124",
                "item_id": 453125232,
                "sku_id": 36121234,
                "outer_sku_id": "",
                "outer_item_id": "CUP",
                "title": "茶杯",
                "num": 1,
                "price": "18.00",
                "total_fee": "18.00",
                "payment": "10.00",
            },
        ],
    }
}


def shopify(secret: str, topic: str, body: Any, **headers: str) -> dict[str, Any]:
    """Return the arguments of a signed request."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), raw, "sha256")).decode()
    return {
        "data": raw,
        "headers": {
            "X-Shopify-Hmac-Sha256": signature,
            "X-Shopify-Topic": topic,
            "X-Shopify-Webhook-Id": f"b54557e4-bdd9-4b37-8a5f-{next(_ids):012d}",
            "X-Shopify-Shop-Domain": "example.myshopify.com",
            **headers,
        },
    }


def youzan(
    secret: str, topic: str, message: Any, *, is_in_body: bool = False, msg_id: str = ""
) -> dict[str, Any]:
    """Return the arguments of a request signed in its headers, or (the older form) in its body."""
    client_id, _colon, client_secret = secret.partition(":")
    said = quote_plus(json.dumps(message, ensure_ascii=False))
    envelope: dict[str, Any] = {
        "client_id": client_id,
        "id": "E1",
        "kdt_id": 42091111,
        "mode": 1,
        "msg": said,
        "msg_id": msg_id or f"8f1d-{next(_ids)}",
        "sendCount": 0,
        "test": False,
        "type": topic,
        "version": 1772683201,
    }
    if is_in_body:
        envelope["sign"] = hashlib.md5(f"{client_id}{said}{client_secret}".encode()).hexdigest()
        return {"data": json.dumps(envelope).encode(), "headers": {}}
    raw = json.dumps(envelope).encode()
    sign = hashlib.md5(client_id.encode() + raw + client_secret.encode()).hexdigest()
    return {
        "data": raw,
        "headers": {"Event-Sign": sign, "Event-Type": topic, "Client-Id": client_id},
    }


def changed(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a copy with some keys changed."""
    return {**copy.deepcopy(body), **changes}
