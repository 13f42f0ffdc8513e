//! Which sessions are whose. It never looks into a record, and knows nothing of a tenant but its id.

use rusqlite::{OptionalExtension, params};

use crate::{
    domain::ids::{SessionId, TenantId},
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{fact::Fact, language::Language, time::SessionTime};

    #[tokio::test]
    async fn each_tenant_has_its_own_sessions() {
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
    }
}
