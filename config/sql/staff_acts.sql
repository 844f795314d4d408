-- The chain of staff acts.
--
-- hash = SHA-256(prev_hash ‖ text in UTF-8), the first prev_hash is 32 zero bytes. The text is the
-- JSON array of {seq, at, actor, roles, source, address, act, operation, table, row_id, member_id,
-- before, after, reason, approval_id} in this order, with ", " between values: seq, member_id and
-- approval_id are numbers or null; at is UTC with microseconds and Z; before and after are strings
-- that hold the stored JSON as PostgreSQL writes it, or null. Characters beyond ASCII stand as they
-- are. In Python: json.dumps([...], ensure_ascii=False).
CREATE OR REPLACE FUNCTION loyalty_staff_act_text(a config_staffact) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT json_build_array(
        a.seq, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.actor, a.roles,
        a.source, a.address, a.act, a.operation, a."table", a.row_id, a.member_id, a.before::text,
        a.after::text, a.reason, a.approval_id)::text
$$;

-- Numbers and chains a new act, whatever it brought along. Who acts at the same time waits for the
-- lock until the other has committed, so numbers have no gaps and commit in their order. Beyond the
-- head there are only acts of this transaction.
CREATE OR REPLACE FUNCTION loyalty_chain_staff_act() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head config_staffacthead;
    last config_staffact;
BEGIN
    PERFORM pg_advisory_xact_lock(x'53414354'::int, 0);
    SELECT * INTO STRICT head FROM config_staffacthead WHERE id = 1;
    SELECT * INTO last FROM config_staffact WHERE seq > head.seq ORDER BY seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, head.seq) + 1;
    NEW.at := clock_timestamp();
    NEW.prev_hash := coalesce(last.hash, head.hash);
    NEW.hash := sha256(NEW.prev_hash || convert_to(loyalty_staff_act_text(NEW), 'UTF8'));
    RETURN NEW;
END $$;

-- Moves the head to the last act of the transaction, at commit and once: to change one row time and
-- again in a transaction is slower each time.
CREATE OR REPLACE FUNCTION loyalty_move_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE config_staffacthead SET seq = NEW.seq, hash = NEW.hash
    WHERE id = 1 AND NOT EXISTS (SELECT FROM config_staffact WHERE seq > NEW.seq);
    RETURN NULL;
END $$;

-- Writes down one changed row of a watched table: what changed, from what, to what. Arguments: the
-- key column; columns whose values are secret or personal, of which only the change is told; the
-- column that names the member; whether rows are approvals, in which case what follows in the
-- transaction is by that approval.
--
-- It runs at commit, so that nobody waits for the head while holding other rows.
CREATE OR REPLACE FUNCTION loyalty_record_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    acting jsonb := nullif(current_setting('loyalty.acting', true), '')::jsonb;
    hidden text[] := TG_ARGV[1]::text[];
    was jsonb := coalesce(to_jsonb(OLD), '{}');
    becomes jsonb := coalesce(to_jsonb(NEW), '{}');
    subject jsonb := CASE TG_OP WHEN 'DELETE' THEN was ELSE becomes END;
    before_values jsonb;
    after_values jsonb;
BEGIN
    SELECT jsonb_object_agg(k, CASE WHEN k = ANY (hidden) THEN '"•"' ELSE was -> k END)
               FILTER (WHERE was -> k <> 'null'),
           jsonb_object_agg(k, CASE WHEN k = ANY (hidden) THEN '"•"' ELSE becomes -> k END)
               FILTER (WHERE becomes -> k <> 'null' OR TG_OP = 'UPDATE')
    INTO before_values, after_values
    FROM jsonb_object_keys(was || becomes) AS k
    WHERE was -> k IS DISTINCT FROM becomes -> k;
    IF TG_OP = 'UPDATE' AND after_values IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_ARGV[3] = 'approval' THEN
        acting := acting || jsonb_build_object('approval', subject -> TG_ARGV[0]);
        PERFORM set_config('loyalty.acting', acting::text, true);
    END IF;
    INSERT INTO config_staffact (actor, roles, source, address, act, operation, "table", row_id,
                                 member_id, before, after, reason, approval_id)
    VALUES (acting ->> 'actor', acting ->> 'roles', acting ->> 'source', acting ->> 'address',
            acting ->> 'act', lower(TG_OP), TG_TABLE_NAME, coalesce(subject ->> TG_ARGV[0], ''),
            (subject ->> nullif(TG_ARGV[2], ''))::bigint, before_values, after_values,
            acting ->> 'reason', (acting ->> 'approval')::bigint);
    RETURN NULL;
END $$;
