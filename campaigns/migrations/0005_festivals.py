"""The festivals that every installation begins with; operators change them afterwards."""

from django.db import migrations

FESTIVALS = [
    ('new_year', '元旦', 'New Year', {'kind': 'solar', 'month': 1, 'day': 1}),
    ('laba', '腊八节', 'Laba Festival', {'kind': 'lunar', 'month': 12, 'day': 8}),
    ('spring_eve', '除夕', "Lunar New Year's Eve", {'kind': 'lunar', 'month': 12, 'day': -1}),
    ('spring_festival', '春节', 'Lunar New Year', {'kind': 'lunar', 'month': 1, 'day': 1}),
    ('lantern', '元宵节', 'Lantern Festival', {'kind': 'lunar', 'month': 1, 'day': 15}),
    ('valentine', '情人节', "Valentine's Day", {'kind': 'solar', 'month': 2, 'day': 14}),
    ('womens_day', '妇女节', "Women's Day", {'kind': 'solar', 'month': 3, 'day': 8}),
    ('qingming', '清明节', 'Qingming', {'kind': 'term', 'term': 'qingming'}),
    ('labour_day', '劳动节', 'Labour Day', {'kind': 'solar', 'month': 5, 'day': 1}),
    ('dragon_boat', '端午节', 'Dragon Boat Festival', {'kind': 'lunar', 'month': 5, 'day': 5}),
    ('childrens_day', '儿童节', "Children's Day", {'kind': 'solar', 'month': 6, 'day': 1}),
    ('qixi', '七夕', 'Qixi Festival', {'kind': 'lunar', 'month': 7, 'day': 7}),
    ('teachers_day', '教师节', "Teachers' Day", {'kind': 'solar', 'month': 9, 'day': 10}),
    ('mid_autumn', '中秋节', 'Mid-Autumn Festival', {'kind': 'lunar', 'month': 8, 'day': 15}),
    ('national_day', '国庆节', 'National Day', {'kind': 'solar', 'month': 10, 'day': 1}),
    ('double_ninth', '重阳节', 'Double Ninth Festival', {'kind': 'lunar', 'month': 9, 'day': 9}),
    ('dongzhi', '冬至', 'Winter Solstice', {'kind': 'term', 'term': 'dongzhi'}),
    ('christmas', '圣诞节', 'Christmas', {'kind': 'solar', 'month': 12, 'day': 25}),
]


def add(apps, schema_editor):
    festivals = apps.get_model("campaigns", "Festival")
    for code, name_zh, name_en, rule in FESTIVALS:
        festivals.objects.get_or_create(
            code=code, defaults={"name_zh": name_zh, "name_en": name_en, "rule": rule}
        )


def remove(apps, schema_editor):
    festivals = apps.get_model("campaigns", "Festival")
    festivals.objects.filter(code__in=[row[0] for row in FESTIVALS]).delete()


class Migration(migrations.Migration):

    dependencies = [('campaigns', '0004_triggers')]

    operations = [migrations.RunPython(add, remove)]
