INSERT INTO config_staffacthead (id, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE TRIGGER chain BEFORE INSERT ON config_staffact
    FOR EACH ROW EXECUTE FUNCTION loyalty_chain_staff_act();
