INSERT INTO config_staffacthead (id, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE TRIGGER chain BEFORE INSERT ON config_staffact
    FOR EACH ROW EXECUTE FUNCTION loyalty_chain_staff_act();

CREATE CONSTRAINT TRIGGER head AFTER INSERT ON config_staffact
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION loyalty_move_head();
