"""Invented people: the same for the same number, every time, and marked as samples."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from members.models import Channel
from rewards.services import complete_journey
from rewards.services.joining_requests import EnrolmentRequest

MARK: Final = "示例数据"
OLDEST: Final = date(1950, 1, 1)
YOUNGEST: Final = date(2004, 12, 31)
# A prefix of mobile numbers, followed by a block that these people fill from its beginning.
PHONE_BLOCK: Final = 1_990_000_0000

SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN: Final = (
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明",
    "超", "秀英", "霞", "平", "刚", "桂英", "文博", "子轩", "梓涵", "雨欣", "思远", "佳怡", "浩然",
    "晓彤", "志强", "建华", "雪梅", "海燕", "俊杰", "婷婷", "欣怡", "宇航", "诗涵", "国栋",
)  # fmt: skip
CITIES: Final = (
    "上海", "北京", "广州", "深圳", "杭州", "成都", "南京", "武汉", "苏州", "西安", "重庆", "天津",
    "长沙", "青岛", "宁波", "厦门",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    name: str
    phone: str
    birthday: date
    city: str


def person(number: int) -> Person:
    """Return the invented person of a number."""
    random = Random(number)  # noqa: S311 - the same person every time is the point
    name = random.choice(SURNAMES) + random.choice(GIVEN)
    days = (YOUNGEST - OLDEST).days
    return Person(
        name=name,
        phone=str(PHONE_BLOCK + number),
        birthday=OLDEST + timedelta(days=random.randint(0, days)),
        city=random.choice(CITIES),
    )


def household(number: int, joined_at: datetime) -> EnrolmentRequest:
    """Return the enrolment of a household of the Complete Journey as an invented person."""
    key = (complete_journey.IDENTIFIER_KIND, complete_journey.external_id(number), "")
    return enrolment(number, joined_at, key)


def enrolment(
    number: int, joined_at: datetime, identifier: tuple[str, str, str]
) -> EnrolmentRequest:
    """Return the enrolment of an invented person, recognised by an identifier and by phone."""
    invented = person(number)
    return EnrolmentRequest(
        identifiers=(identifier, ("phone", invented.phone, "")),
        name=invented.name,
        birthday=invented.birthday,
        city=f"{invented.city}（{MARK}）",
        channel=Channel.IMPORT.value,
        attributes={MARK: True},
        joined_at=joined_at,
    )
