//! When somebody's voice was on: spans in order that never touch. The algebra of intervals the
//! balance is made of.

use crate::domain::time::{SessionTime, Span};

/// Spans in order, disjoint and apart from one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    spans: Vec<Span>,
}

impl Timeline {
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub fn total_ms(&self) -> u64 {
        self.spans.iter().map(|it| it.ms()).sum()
    }

    /// Adds a span; what it overlaps or touches becomes one with it. Empty spans are nothing.
    pub fn insert(&mut self, span: Span) {
        if span.is_empty() {
            return;
        }
        let from = self.spans.partition_point(|it| it.end < span.start);
        let to = self.spans.partition_point(|it| it.start <= span.end);
        let merged = self.spans[from..to].iter().fold(span, |sum, it| Span {
            start: sum.start.min(it.start),
            end: sum.end.max(it.end),
        });
        self.spans.splice(from..to, [merged]);
    }

    /// Takes out all that is before a moment.
    pub fn cut_before(&mut self, moment: SessionTime) {
        self.spans.retain(|it| moment < it.end);
        if let Some(first) = self.spans.first_mut() {
            first.start = first.start.max(moment);
        }
    }

    /// Takes out and returns the earliest span.
    pub fn pop_first(&mut self) -> Option<Span> {
        (!self.spans.is_empty()).then(|| self.spans.remove(0))
    }

    /// The same with silences shorter than `gap_ms` closed, then spans shorter than `min_ms` gone.
    pub fn smoothed(&self, gap_ms: u64, min_ms: u64) -> Timeline {
        let mut spans: Vec<Span> = Vec::with_capacity(self.spans.len());
        for span in &self.spans {
            match spans.last_mut() {
                Some(last) if span.start.since_ms(last.end) < gap_ms => last.end = span.end,
                _ => spans.push(*span),
            }
        }
        spans.retain(|it| min_ms <= it.ms());
        Timeline { spans }
    }

    /// The span a moment lies in.
    pub fn at(&self, moment: SessionTime) -> Option<Span> {
        let index = self.spans.partition_point(|it| it.end <= moment);
        self.spans.get(index).copied().filter(|it| it.contains(moment))
    }

    /// How much of `span` is covered, in ms.
    pub fn covered_ms(&self, span: Span) -> u64 {
        let from = self.spans.partition_point(|it| it.end <= span.start);
        self.spans[from..].iter().map_while(|it| it.intersection(span)).map(|it| it.ms()).sum()
    }
}

impl FromIterator<Span> for Timeline {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut timeline = Timeline::default();
        spans.into_iter().for_each(|it| timeline.insert(it));
        timeline
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(start: u64, end: u64) -> Span {
        Span::new(SessionTime(start), SessionTime(end))
    }

    fn check(spans: &[(u64, u64)], expected: &[(u64, u64)]) {
        let timeline: Timeline = spans.iter().map(|it| span(it.0, it.1)).collect();
        let shown: Vec<_> = timeline.spans().iter().map(|it| (it.start.0, it.end.0)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn spans_that_overlap_or_touch_become_one() {
        check(&[(5, 9), (0, 3)], &[(0, 3), (5, 9)]);
        check(&[(0, 3), (3, 5)], &[(0, 5)]);
        check(&[(0, 3), (5, 9), (2, 6)], &[(0, 9)]);
        check(&[(4, 4)], &[]);
    }

    #[test]
    fn short_silences_close_and_clicks_vanish() {
        let timeline: Timeline =
            [span(0, 100), span(150, 300), span(900, 920)].into_iter().collect();
        assert_eq!(timeline.smoothed(100, 50).spans(), &[span(0, 300)]);
    }

    #[test]
    fn what_is_before_a_moment_can_be_cut_off() {
        let cut = |at| {
            let mut timeline: Timeline = [span(0, 100), span(150, 300)].into_iter().collect();
            timeline.cut_before(SessionTime(at));
            timeline.spans().to_vec()
        };
        assert_eq!(cut(0), [span(0, 100), span(150, 300)]);
        assert_eq!(cut(60), [span(60, 100), span(150, 300)]);
        assert_eq!(cut(100), [span(150, 300)]);
        assert_eq!(cut(200), [span(200, 300)]);
        assert_eq!(cut(300), []);
    }

    proptest! {
        /// The timeline says of each moment just what a naive list of all spans says.
        #[test]
        fn it_agrees_with_a_naive_list(
            list in prop::collection::vec((0u64..60, 0u64..20), 0..30),
            probe in (0u64..80, 0u64..20),
        ) {
            let list: Vec<Span> = list.iter().map(|it| span(it.0, it.0 + it.1)).collect();
            let timeline: Timeline = list.iter().copied().collect();
            let on = |at: u64| list.iter().any(|it| it.contains(SessionTime(at)));
            for pair in timeline.spans().windows(2) {
                prop_assert!(pair[0].end < pair[1].start);
            }
            for at in 0..90 {
                prop_assert_eq!(timeline.at(SessionTime(at)).is_some(), on(at));
            }
            let probe = span(probe.0, probe.0 + probe.1);
            let naive = (probe.start.0..probe.end.0).filter(|it| on(*it)).count() as u64;
            prop_assert_eq!(timeline.covered_ms(probe), naive);
        }
    }
}
