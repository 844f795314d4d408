import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from config.base.append_only import RefuseChanges

# Before there were more than two states.
TWO_STATES = """
UPDATE members_case SET
    state = CASE WHEN state IN ('resolved', 'closed') THEN 'closed' ELSE 'open' END,
    closed_at = CASE WHEN state IN ('resolved', 'closed')
                     THEN coalesce(closed_at, resolved_at) END,
    waiting_since_at = NULL
WHERE state NOT IN ('open', 'closed')
"""


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0009_verifications'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CaseNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('internal', 'Note'), ('reply', 'Reply to the member'), ('member', 'From the member')], max_length=8, verbose_name='kind')),
                ('body', models.TextField(verbose_name='sealed text')),
                ('author', models.CharField(max_length=80, verbose_name='author')),
                ('at', models.DateTimeField(verbose_name='at')),
            ],
            options={
                'verbose_name': 'case note',
                'verbose_name_plural': 'case notes',
            },
        ),
        migrations.CreateModel(
            name='Moderation',
            fields=[
                ('fact', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='moderation', serialize=False, to='members.receivedfact', verbose_name='fact')),
                ('state', models.CharField(choices=[('pending', 'Waiting'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('removed', 'Removed')], default='pending', max_length=8, verbose_name='state')),
                ('order_source', models.CharField(blank=True, max_length=64, verbose_name='source')),
                ('order_no', models.CharField(blank=True, max_length=100, verbose_name='order number')),
                ('line_no', models.PositiveIntegerField(blank=True, null=True, verbose_name='line')),
                ('occurred_at', models.DateTimeField(verbose_name='occurred at')),
                ('number', models.PositiveIntegerField(db_default=0, default=0, verbose_name='times approved')),
                ('reason', models.CharField(blank=True, db_default='', max_length=32, verbose_name='reason')),
                ('decided_by', models.CharField(blank=True, db_default='', max_length=80, verbose_name='decided by')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided at')),
            ],
            options={
                'verbose_name': 'moderation',
                'verbose_name_plural': 'moderations',
                'permissions': [('moderate', 'Can approve, reject and remove reviews')],
            },
        ),
        migrations.CreateModel(
            name='ServiceHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(1, 'Monday'), (2, 'Tuesday'), (3, 'Wednesday'), (4, 'Thursday'), (5, 'Friday'), (6, 'Saturday'), (7, 'Sunday')], unique=True, verbose_name='weekday')),
                ('opens', models.TimeField(verbose_name='opens')),
                ('closes', models.TimeField(verbose_name='closes')),
            ],
            options={
                'verbose_name': 'service hours',
                'verbose_name_plural': 'service hours',
                'ordering': ['weekday'],
            },
        ),
        migrations.CreateModel(
            name='ServicePolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('system', 'Exception'), ('enquiry', 'Enquiry'), ('complaint', 'Complaint'), ('suggestion', 'Suggestion'), ('service_request', 'Bespoke service')], max_length=16, verbose_name='kind')),
                ('service_level', models.PositiveSmallIntegerField(default=0, verbose_name='from service level')),
                ('priority', models.PositiveSmallIntegerField(choices=[(1, 'Urgent'), (2, 'High'), (3, 'Normal'), (4, 'Low')], verbose_name='priority')),
                ('first_response_minutes', models.PositiveIntegerField(blank=True, null=True, verbose_name='answer within (business minutes)')),
                ('resolve_minutes', models.PositiveIntegerField(blank=True, null=True, verbose_name='solution within (business minutes)')),
            ],
            options={
                'verbose_name': 'service policy',
                'verbose_name_plural': 'service policies',
                'ordering': ['kind', 'service_level'],
            },
        ),
        migrations.CreateModel(
            name='SpecialDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(unique=True, verbose_name='day')),
                ('name', models.CharField(blank=True, max_length=60, verbose_name='name')),
                ('opens', models.TimeField(blank=True, null=True, verbose_name='opens')),
                ('closes', models.TimeField(blank=True, null=True, verbose_name='closes')),
            ],
            options={
                'verbose_name': 'special day',
                'verbose_name_plural': 'special days',
                'ordering': ['-on'],
            },
        ),
        migrations.AlterModelOptions(
            name='case',
            options={'permissions': [('work_case', 'Can work on cases'), ('assign_case', 'Can assign cases to colleagues')], 'verbose_name': 'case', 'verbose_name_plural': 'cases'},
        ),
        migrations.AddField(
            model_name='case',
            name='channel',
            field=models.CharField(blank=True, db_default='', max_length=16, verbose_name='channel'),
        ),
        migrations.AddField(
            model_name='case',
            name='escalated_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='escalated at'),
        ),
        migrations.AddField(
            model_name='case',
            name='escalates_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='next escalation'),
        ),
        migrations.AddField(
            model_name='case',
            name='first_responded_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='answered at'),
        ),
        migrations.AddField(
            model_name='case',
            name='first_response_due_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='answer due'),
        ),
        migrations.AddField(
            model_name='case',
            name='kind',
            field=models.CharField(choices=[('system', 'Exception'), ('enquiry', 'Enquiry'), ('complaint', 'Complaint'), ('suggestion', 'Suggestion'), ('service_request', 'Bespoke service')], db_default='system', default='system', max_length=16, verbose_name='kind'),
        ),
        migrations.AddField(
            model_name='case',
            name='opened_by',
            field=models.CharField(blank=True, db_default='', max_length=80, verbose_name='opened by'),
        ),
        migrations.AddField(
            model_name='case',
            name='order',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cases', to='members.order', verbose_name='order'),
        ),
        migrations.AddField(
            model_name='case',
            name='owner',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cases', to=settings.AUTH_USER_MODEL, verbose_name='owner'),
        ),
        migrations.AddField(
            model_name='case',
            name='priority',
            field=models.PositiveSmallIntegerField(choices=[(1, 'Urgent'), (2, 'High'), (3, 'Normal'), (4, 'Low')], db_default=3, default=3, verbose_name='priority'),
        ),
        migrations.AddField(
            model_name='case',
            name='reference',
            field=models.CharField(blank=True, db_default='', max_length=100, verbose_name='order or redemption'),
        ),
        migrations.AddField(
            model_name='case',
            name='reopened',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='times reopened'),
        ),
        migrations.AddField(
            model_name='case',
            name='resolve_due_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='solution due'),
        ),
        migrations.AddField(
            model_name='case',
            name='resolved_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='resolved at'),
        ),
        migrations.AddField(
            model_name='case',
            name='sealed',
            field=models.TextField(blank=True, db_default='', verbose_name='sealed text'),
        ),
        migrations.AddField(
            model_name='case',
            name='service_level',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='service level'),
        ),
        migrations.AddField(
            model_name='case',
            name='waiting_since_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='waiting since'),
        ),
        migrations.AddField(
            model_name='interactionkind',
            name='needs_moderation',
            field=models.BooleanField(db_default=False, default=False, help_text='It earns and qualifies once somebody has approved it.', verbose_name='moderated'),
        ),
        migrations.AlterField(
            model_name='case',
            name='code',
            field=models.CharField(blank=True, max_length=40, verbose_name='code'),
        ),
        migrations.AlterField(
            model_name='case',
            name='state',
            field=models.CharField(choices=[('open', 'Open'), ('in_progress', 'In progress'), ('waiting_member', 'Waiting for the member'), ('resolved', 'Resolved'), ('closed', 'Closed')], default='open', max_length=16, verbose_name='state'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('state__in', ['open', 'in_progress', 'waiting_member'])), fields=['priority', 'resolve_due_at'], name='case_queue'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('escalates_at__isnull', False)), fields=['escalates_at'], name='case_escalates'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('owner__isnull', False)), fields=['owner', 'state'], name='case_owner'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['system', 'enquiry', 'complaint', 'suggestion', 'service_request'])), name='case_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('priority__in', [1, 2, 3, 4])), name='case_priority_known'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'closed'), ('closed_at__isnull', False)), models.Q(models.Q(('state', 'closed'), _negated=True), ('closed_at__isnull', True)), _connector='OR'), name='case_closed_at'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'resolved'), ('resolved_at__isnull', False)), ('state', 'closed'), models.Q(('state__in', ('open', 'in_progress', 'waiting_member')), ('resolved_at__isnull', True)), _connector='OR'), name='case_resolved_at'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'waiting_member'), ('waiting_since_at__isnull', False)), models.Q(models.Q(('state', 'waiting_member'), _negated=True), ('waiting_since_at__isnull', True)), _connector='OR'), name='case_waiting_since'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('open', 'in_progress', 'waiting_member')), ('escalates_at__isnull', True), _connector='OR'), name='case_clock_stops'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'system'), ('member__isnull', False), _connector='OR'), name='case_has_member'),
        ),
        migrations.AddField(
            model_name='casenote',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='members.case', verbose_name='case'),
        ),
        migrations.AddField(
            model_name='casenote',
            name='member',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.member', verbose_name='member'),
        ),
        migrations.AddField(
            model_name='moderation',
            name='approval',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='members.receivedfact', verbose_name='approval'),
        ),
        migrations.AddField(
            model_name='moderation',
            name='member',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='moderations', to='members.member', verbose_name='member'),
        ),
        migrations.AddConstraint(
            model_name='servicehours',
            constraint=models.CheckConstraint(condition=models.Q(('weekday__in', [1, 2, 3, 4, 5, 6, 7])), name='service_hours_weekday'),
        ),
        migrations.AddConstraint(
            model_name='servicehours',
            constraint=models.CheckConstraint(condition=models.Q(('opens__lt', models.F('closes'))), name='service_hours_order'),
        ),
        migrations.AddConstraint(
            model_name='servicepolicy',
            constraint=models.UniqueConstraint(fields=('kind', 'service_level'), name='service_policy_unique'),
        ),
        migrations.AddConstraint(
            model_name='servicepolicy',
            constraint=models.CheckConstraint(condition=models.Q(('priority__in', [1, 2, 3, 4])), name='service_policy_priority'),
        ),
        migrations.AddConstraint(
            model_name='specialday',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closes__isnull', True), ('opens__isnull', True)), ('opens__lt', models.F('closes')), _connector='OR'), name='special_day_order'),
        ),
        migrations.AddConstraint(
            model_name='casenote',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['internal', 'reply', 'member'])), name='case_note_kind'),
        ),
        migrations.AddIndex(
            model_name='moderation',
            index=models.Index(fields=['state', 'occurred_at'], name='moderation_queue'),
        ),
        migrations.AddConstraint(
            model_name='moderation',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'approved', 'rejected', 'removed'])), name='moderation_state_known'),
        ),
        migrations.AddConstraint(
            model_name='moderation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'pending'), ('decided_at__isnull', True)), models.Q(models.Q(('state', 'pending'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='moderation_decided_at'),
        ),
        migrations.AddConstraint(
            model_name='moderation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), ('approval__isnull', False), _connector='OR'), name='moderation_approval_given'),
        ),
        migrations.AddConstraint(
            model_name='moderation',
            constraint=models.UniqueConstraint(condition=models.Q(('line_no__isnull', False), ('state', 'approved')), fields=('order_no', 'order_source', 'line_no'), name='moderation_one_per_line'),
        ),
        RefuseChanges('members_casenote'),
        migrations.RunSQL(migrations.RunSQL.noop, TWO_STATES),
    ]
