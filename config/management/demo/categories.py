"""The departments of the grocer's goods, in Chinese and marked as samples."""

from types import MappingProxyType
from typing import Final

from config.management.demo.people import MARK

_NAMES: Final = {
    "AUTOMOTIVE": "汽车用品",
    "CHARITABLE CONT": "公益",
    "CHEF SHOPPE": "厨房用品",
    "CNTRL/STORE SUP": "店用物料",
    "COSMETICS": "美妆",
    "COUPON": "优惠券",
    "DELI": "熟食",
    "DRUG GM": "个护百货",
    "ELECT &PLUMBING": "电工水暖",
    "FLORAL": "鲜花",
    "FROZEN GROCERY": "冷冻食品",
    "FUEL": "燃油",
    "GARDEN CENTER": "园艺",
    "GM MERCH EXP": "百货",
    "GROCERY": "食品杂货",
    "GRO BAKERY": "烘焙杂货",
    "HBC": "健康美容",
    "HOUSEWARES": "家居用品",
    "MEAT": "鲜肉",
    "MEAT-PCKGD": "包装肉品",
    "MISCELLANEOUS": "其他",
    "NUTRITION": "营养健康",
    "PASTRY": "面包糕点",
    "PHARMACY SUPPLY": "药房",
    "PHOTO & VIDEO": "影像",
    "PORK": "猪肉",
    "POSTAL CENTER": "邮寄",
    "PROD-WHS SALES": "果蔬批发",
    "PRODUCE": "蔬菜水果",
    "RESTAURANT": "餐饮",
    "SALAD BAR": "沙拉",
    "SEAFOOD": "水产",
    "SEAFOOD-PCKGD": "包装水产",
    "SPIRITS": "酒类",
    "TOYS": "玩具",
    "TRAVEL & LEISURE": "旅行休闲",
    "VIDEO": "音像",
    "VIDEO RENTAL": "音像租赁",
}

CATEGORIES: Final = MappingProxyType(
    {department: f"{name}（{MARK}）" for department, name in _NAMES.items()}
)
