//! The list of what is parked, or dead.

use serde::Serialize;

use super::{
    Shown,
    span::{Span, Walk, cursor},
    state,
};
use crate::{
    admin::{Admin, Failure, Reply, fields::Fields, query::limit},
    id::{IntegrationId, ProjectId},
    ports::Services,
};

#[derive(Serialize)]
struct List {
    deliveries: Vec<Shown>,
    next: Option<String>,
}

impl<P: Services> Admin<P> {
    /// Lists the deliveries in one state, oldest first, by their names alone.
    pub(in crate::admin) async fn list_deliveries(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        mut query: Fields,
    ) -> Result<Reply, Failure> {
        let place = state(&mut query);
        let span = Span::read(&mut query);
        let limit = limit(&mut query);
        query.finish()?;
        self.find(project, id).await?;
        let mut walk = Walk::new(place, id, &span);
        let mut keys = Vec::with_capacity(limit + 1);
        // One more tells whether there are more.
        while keys.len() <= limit {
            let some = walk.next(self.ports.objects(), limit + 1 - keys.len()).await?;
            if some.is_empty() {
                break;
            }
            keys.extend(some);
        }
        let more = keys.len() > limit;
        keys.truncate(limit);
        let next = keys.last().filter(|_| more).and_then(cursor);
        Reply::json(200, &List { deliveries: keys.iter().map(Shown::new).collect(), next })
    }
}
