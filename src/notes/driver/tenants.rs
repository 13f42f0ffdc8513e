//! Which sessions are whose, and how far each tenant's own server has been told of them. It never looks
//! into a record, and knows nothing of a tenant but its id.

use rusqlite::{OptionalExtension, params};

use crate::{
    domain::{
        fact::Record,
        ids::{SessionId, TenantId},
    },
    notes::driver::log::{Log, LogError, SessionSummary},
};

impl Log {
    /// `None`: nobody's, or there is no such session. Blocks.
    pub fn tenant(&self, session: SessionId) -> Result<Option<TenantId>, LogError> {
        let tenant: Option<Option<String>> = self.with_reader(|reader| {
            let sql = "SELECT tenant FROM sessions WHERE id = ?1";
            reader.query_row(sql, [session.to_string()], |row| row.get(0)).optional()
        })?;
        Ok(tenant.flatten().and_then(|it| it.parse().ok()))
    }

    /// At most `limit` sessions of a tenant, latest first, opened before the session `before`. Blocks.
    pub fn sessions_of(
        &self,
        tenant: &TenantId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionSummary>, LogError> {
        // Ids sort by the time of opening; `~` sorts after every id.
        let before = before.map_or("~".to_owned(), |it| it.to_string());
        let which = "WHERE tenant = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
        self.summaries(which, params![tenant.as_str(), before, limit])
    }

    /// At most `limit` records of a tenant's sessions after place `seq` and up to `until`, in order.
    /// Blocks.
    pub fn read_of(
        &self,
        tenant: &TenantId,
        seq: u64,
        until: u64,
        limit: u32,
    ) -> Result<Vec<(SessionId, Record)>, LogError> {
        let which = "WHERE seq > ?2 AND seq <= ?3
                     AND session IN (SELECT id FROM sessions WHERE tenant = ?1)
                     ORDER BY seq LIMIT ?4";
        let (seq, until) = (seq.cast_signed(), until.cast_signed());
        self.records_where(which, params![tenant.as_str(), seq, until, limit])
    }

    /// Up to which record a tenant has been told; `None`: never of any. Blocks.
    pub fn told(&self, tenant: &TenantId) -> Result<Option<u64>, LogError> {
        self.with_reader(|reader| {
            let sql = "SELECT seq FROM told WHERE tenant = ?1";
            let seq = reader.query_row(sql, [tenant.as_str()], |row| row.get::<_, i64>(0));
            Ok(seq.optional()?.map(i64::cast_unsigned))
        })
    }

    /// Keeps up to which record a tenant has been told.
    pub async fn set_told(&self, tenant: &TenantId, seq: u64) -> Result<(), LogError> {
        let tenant = tenant.clone();
        self.alter("writing", move |connection| {
            let sql = "INSERT INTO told (tenant, seq) VALUES (?1, ?2)
                       ON CONFLICT (tenant) DO UPDATE SET seq = excluded.seq";
            connection.execute(sql, params![tenant.as_str(), seq.cast_signed()]).map(|_| ())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{fact::Fact, language::Language, time::SessionTime};

    #[tokio::test]
    async fn each_tenant_has_its_own_sessions_and_is_told_of_them_alone() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(&folder.path().join("log")).unwrap();
        let [lahti, turku]: [TenantId; 2] = ["lahti", "turku"].map(|it| it.parse().unwrap());
        let mut opened = Vec::new();
        for (number, tenant) in [Some(&lahti), None, Some(&turku), Some(&lahti)].iter().enumerate()
        {
            let id = SessionId::new(number as u64, 7);
            let title = format!("Kevät {number}");
            let facts =
                [Fact::Opened { title, language: Language::Finnish, unix_ms: 1 }].into_iter();
            let owner = tenant.map(|it| Fact::BelongsTo { tenant: it.clone() });
            let facts = facts.chain(owner).chain([Fact::Ended]).map(|it| (SessionTime::ZERO, it));
            log.append(id, facts.collect()).await.unwrap();
            opened.push(id);
        }
        assert_eq!(log.tenant(opened[0]).unwrap(), Some(lahti.clone()));
        assert_eq!(log.tenant(opened[1]).unwrap(), None);

        let of = |tenant, before, limit| -> Vec<SessionId> {
            log.sessions_of(tenant, before, limit).unwrap().iter().map(|it| it.id).collect()
        };
        assert_eq!(of(&lahti, None, 10), [opened[3], opened[0]]);
        assert_eq!(of(&lahti, Some(opened[3]), 10), [opened[0]]);
        assert_eq!(of(&turku, None, 10), [opened[2]]);

        let told: Vec<_> = log.read_of(&turku, 0, log.last_seq(), 10).unwrap();
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|it| it.0 == opened[2]));
        assert_eq!(log.told(&turku).unwrap(), None);
        log.set_told(&turku, 4).await.unwrap();
        log.set_told(&turku, 7).await.unwrap();
        assert_eq!(log.told(&turku).unwrap(), Some(7));
        assert_eq!(log.told(&lahti).unwrap(), None);
    }
}
