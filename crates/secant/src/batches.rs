//! Which records a step works on.
//!
//! Methods that choose their data ask for more than the batch of the step: all records (SVRG's
//! snapshot), the part that the next batch shares (multi-batch L-BFGS), an independent sample (SQN).
//! [`Batches`] hands out record numbers; the loss of
//! [`Optimizer::step_on`](crate::Optimizer::step_on) turns them into tensors.

use std::sync::Arc;

use secant_core::rng::SplitMix64;

use crate::error::{ConfigError, StepError};

/// Draws batches of record numbers from 0 to `records`.
///
/// Shuffled batches go through all records in a new order in each epoch; the records left at an
/// epoch's end, fewer than a batch, are left out. Where it stands is part of an optimizer's record:
/// see [`Optimizer::load`](crate::Optimizer::load).
#[derive(Clone, Debug)]
pub struct Batches {
    records: usize,
    /// Records in a batch at first, and now.
    first_size: usize,
    size: usize,
    overlap: usize,
    order: Order,
    /// What independent samples are, in turn, instead of being drawn.
    samples: Arc<[Vec<usize>]>,
    /// The sample drawn last.
    sampled: Vec<usize>,
    position: Position,
    batch: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Order {
    /// A permutation of all records for each epoch; that of the epoch at hand.
    Shuffled { seed: u64, epoch: Arc<[usize]> },
    /// These, over and over.
    Listed(Arc<[Vec<usize>]>),
}

/// How far the draws have come.
#[derive(Clone, Debug, Default, PartialEq)]
struct Position {
    /// Shuffled: the epoch.
    epoch: u64,
    /// Shuffled: records drawn in this epoch. Listed: batches drawn.
    offset: usize,
    /// Independent samples drawn.
    samples: u64,
    /// The records that the next batch begins with.
    carried: Vec<usize>,
}

impl Batches {
    /// Batches of `size` records in an order drawn from `seed`.
    ///
    /// # Errors
    /// `size` is not between 1 and `records`.
    pub fn shuffled(records: usize, size: usize, seed: u64) -> Result<Self, ConfigError> {
        require_size("the batch size", size, 1, records)?;
        let order = Order::Shuffled { seed, epoch: permutation(records, seed, 0) };
        Ok(Self::of(records, size, order))
    }

    fn of(records: usize, size: usize, order: Order) -> Self {
        Self {
            records,
            first_size: size,
            size,
            overlap: 0,
            order,
            samples: Arc::default(),
            sampled: Vec::new(),
            position: Position::default(),
            batch: Vec::new(),
        }
    }

    /// The batches of `lists` in turn, over and over. A record in a list twice counts twice.
    ///
    /// # Errors
    /// There is no list, one is empty, or one names a record that is not there.
    pub fn listed(records: usize, lists: Vec<Vec<usize>>) -> Result<Self, ConfigError> {
        let size = lists.iter().map(Vec::len).min().unwrap_or(0);
        require_size("the length of every batch", size, 1, usize::MAX)?;
        let last = lists.iter().flatten().copied().max().unwrap_or(0);
        require_size("every record's number", last, 0, records.saturating_sub(1))?;
        let order = Order::Listed(lists.into());
        Ok(Self::of(records, size, order))
    }

    /// Lets independent samples be these lists in turn, whatever their size should be, instead of
    /// drawing them.
    ///
    /// # Errors
    /// A list is empty, or one names a record that is not there.
    pub fn with_samples(mut self, lists: Vec<Vec<usize>>) -> Result<Self, ConfigError> {
        let shortest = lists.iter().map(Vec::len).min().unwrap_or(1);
        require_size("the length of every sample", shortest, 1, usize::MAX)?;
        let last = lists.iter().flatten().copied().max().unwrap_or(0);
        require_size("every record's number", last, 0, self.records.saturating_sub(1))?;
        self.samples = lists.into();
        Ok(self)
    }

    /// Lets the last `count` records of every batch be the first of the next one, so that both are
    /// functions of these. For shuffled batches.
    ///
    /// # Errors
    /// `count` is more than half a batch, or the batches are listed.
    pub fn with_overlap(mut self, count: usize) -> Result<Self, ConfigError> {
        let most = if matches!(self.order, Order::Listed(_)) { 0 } else { self.size / 2 };
        require_size("the overlap", count, 0, most)?;
        self.overlap = count;
        Ok(self)
    }

    /// All records there are.
    pub fn records(&self) -> usize {
        self.records
    }

    /// Records in a batch. Methods that choose their batch size make it larger as they go on.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Batches in an epoch.
    pub fn per_epoch(&self) -> usize {
        match &self.order {
            Order::Shuffled { .. } => {
                (self.records.saturating_sub(self.overlap)) / (self.size - self.overlap)
            }
            Order::Listed(lists) => lists.len(),
        }
    }

    /// The records of the step at hand; none before the first draw.
    pub(crate) fn batch(&self) -> &[usize] {
        &self.batch
    }

    /// Those of them that the next batch shares: all of them where batches do not overlap.
    pub(crate) fn shared(&self) -> &[usize] {
        if self.overlap == 0 { &self.batch } else { &self.position.carried }
    }

    /// All records in parts of a batch's size.
    pub(crate) fn parts(&self) -> Vec<Vec<usize>> {
        let all: Vec<usize> = (0..self.records).collect();
        all.chunks(self.size).map(<[usize]>::to_vec).collect()
    }

    /// The sample drawn last; none before the first.
    pub(crate) fn sampled(&self) -> &[usize] {
        &self.sampled
    }

    /// Whether independent samples are not drawn but given.
    pub(crate) fn has_given_samples(&self) -> bool {
        !self.samples.is_empty()
    }

    /// Whether batches of another size can be drawn.
    pub(crate) fn can_resize(&self) -> bool {
        matches!(self.order, Order::Shuffled { .. })
    }

    /// Lets the next batches have `size` records, where that can be.
    pub(crate) fn resize(&mut self, size: usize) {
        if self.can_resize() && ((2 * self.overlap).max(1)..=self.records).contains(&size) {
            self.size = size;
        }
    }

    /// Draws the next batch.
    pub(crate) fn draw(&mut self) {
        let at = &mut self.position;
        match &mut self.order {
            Order::Listed(lists) => {
                self.batch = lists[at.offset % lists.len()].clone();
                at.offset += 1;
            }
            Order::Shuffled { seed, epoch } => {
                let fresh = self.size - at.carried.len();
                if at.offset + fresh > self.records {
                    at.epoch += 1;
                    at.offset = 0;
                    *epoch = permutation(self.records, *seed, at.epoch);
                }
                self.batch = std::mem::take(&mut at.carried);
                self.batch.extend_from_slice(&epoch[at.offset..at.offset + fresh]);
                at.offset += fresh;
                at.carried = self.batch[self.size - self.overlap..].to_vec();
            }
        }
    }

    /// `size` different records, at most all, drawn independently of batches and other samples.
    pub(crate) fn sample(&mut self, size: usize) -> Vec<usize> {
        self.sampled = self.next_sample(size);
        self.sampled.clone()
    }

    fn next_sample(&mut self, size: usize) -> Vec<usize> {
        if self.has_given_samples() {
            let turn = self.position.samples as usize % self.samples.len();
            self.position.samples += 1;
            return self.samples[turn].clone();
        }
        let seed = if let Order::Shuffled { seed, .. } = self.order { seed } else { 0 };
        // Epochs count from 0, samples from the other end.
        let mut rng = SplitMix64::stream(seed, u64::MAX - self.position.samples);
        self.position.samples += 1;
        let mut all: Vec<usize> = (0..self.records).collect();
        let size = size.min(self.records);
        for place in 0..size {
            let other = place + rng.below(self.records - place);
            all.swap(place, other);
        }
        all.truncate(size);
        all
    }

    /// Where the draws stand, as numbers for a record: what they are drawn from comes first.
    pub(crate) fn save(&self) -> Vec<u64> {
        let Position { epoch, offset, samples, carried } = &self.position;
        let mut numbers = self.origin().to_vec();
        numbers.extend([self.size as u64, *epoch, *offset as u64, *samples]);
        numbers.extend(carried.iter().map(|record| *record as u64));
        numbers
    }

    /// Goes where [`Batches::save`] was called.
    ///
    /// # Errors
    /// The numbers are of other batches.
    pub(crate) fn restore(&mut self, numbers: &[u64]) -> Result<(), StepError> {
        let [records, first_size, overlap, seed, size, epoch, offset, samples, carried @ ..] =
            numbers
        else {
            return Err(StepError::OtherBatches);
        };
        let carried: Vec<usize> = carried.iter().map(|record| *record as usize).collect();
        let size = *size as usize;
        let fits = [*records, *first_size, *overlap, *seed] == self.origin()
            && (size == self.first_size || self.can_resize() && size <= self.records)
            && size >= self.first_size
            && carried.iter().all(|record| *record < self.records)
            && (carried.is_empty() || carried.len() == self.overlap);
        if !fits {
            return Err(StepError::OtherBatches);
        }
        if let Order::Shuffled { seed, epoch: order } = &mut self.order {
            *order = permutation(self.records, *seed, *epoch);
        }
        self.size = size;
        self.position =
            Position { epoch: *epoch, offset: *offset as usize, samples: *samples, carried };
        Ok(())
    }

    fn origin(&self) -> [u64; 4] {
        let seed = match &self.order {
            Order::Shuffled { seed, .. } => *seed,
            Order::Listed(lists) => lists.len() as u64,
        };
        [self.records as u64, self.first_size as u64, self.overlap as u64, seed]
    }
}

fn permutation(records: usize, seed: u64, epoch: u64) -> Arc<[usize]> {
    let mut order: Vec<usize> = (0..records).collect();
    SplitMix64::stream(seed, epoch).shuffle(&mut order);
    order.into()
}

fn require_size(
    parameter: &'static str,
    value: usize,
    least: usize,
    most: usize,
) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(ConfigError::BatchSize { parameter, value, least, most })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn drawn(batches: &mut Batches) -> Vec<usize> {
        batches.draw();
        batches.batch().to_vec()
    }

    #[test]
    fn an_epoch_has_every_record_once_and_the_next_epoch_another_order() {
        let mut batches = Batches::shuffled(12, 3, 7).expect("valid");
        let mut epoch = || (0..4).flat_map(|_| drawn(&mut batches)).collect::<Vec<_>>();
        let (first, second) = (epoch(), epoch());
        for order in [&first, &second] {
            assert_eq!(order.iter().copied().collect::<BTreeSet<_>>(), (0..12).collect());
        }
        assert_ne!(first, second);
    }

    #[test]
    fn the_last_smaller_batch_of_an_epoch_is_left_out() {
        let mut batches = Batches::shuffled(10, 4, 7).expect("valid");
        assert_eq!(batches.per_epoch(), 2);
        for _ in 0..9 {
            assert_eq!(drawn(&mut batches).len(), 4);
        }
        assert_eq!((batches.position.epoch, batches.position.offset), (4, 4));
    }

    #[test]
    fn consecutive_batches_share_exactly_the_overlap() {
        let mut batches = Batches::shuffled(20, 6, 7).expect("valid").with_overlap(2).expect("ok");
        let mut before = drawn(&mut batches);
        // 30 batches: several epochs, whose borders are no exception.
        for _ in 0..30 {
            assert_eq!(batches.shared(), &before[4..]);
            let next = drawn(&mut batches);
            assert_eq!(next[..2], before[4..]);
            assert_eq!(next.len(), 6);
            before = next;
        }
    }

    #[test]
    fn a_sample_has_different_records_and_does_not_move_the_batches() {
        let mut batches = Batches::shuffled(20, 6, 7).expect("valid");
        let mut undisturbed = batches.clone();
        let (first, second) = (batches.sample(8), batches.sample(8));
        assert_ne!(first, second);
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 8);
        assert_eq!(batches.sample(100).len(), 20);
        assert_eq!(drawn(&mut batches), drawn(&mut undisturbed));
    }

    #[test]
    fn restored_batches_go_on_as_the_saved_ones_after_every_draw() {
        let fresh = || Batches::shuffled(20, 6, 7).expect("valid").with_overlap(2).expect("valid");
        let mut whole = fresh();
        for _ in 0..12 {
            let mut resumed = fresh();
            resumed.restore(&whole.save()).expect("the same batches");
            let mut same = whole.clone();
            for _ in 0..6 {
                assert_eq!(drawn(&mut resumed), drawn(&mut same));
                assert_eq!(resumed.sample(3), same.sample(3));
            }
            whole.draw();
        }
        let mut other = Batches::shuffled(20, 6, 8).expect("valid");
        assert_eq!(other.restore(&whole.save()), Err(StepError::OtherBatches));
    }

    #[test]
    fn grown_batches_go_on_in_the_epoch_and_are_restored_with_their_size() {
        let fresh = || Batches::shuffled(20, 4, 7).expect("valid").with_overlap(1).expect("valid");
        let mut grown = fresh();
        let mut seen = drawn(&mut grown);
        grown.resize(8);
        // 4 + 7 + 7 fresh records are still of the first epoch.
        seen.extend_from_slice(&drawn(&mut grown)[1..]);
        seen.extend_from_slice(&drawn(&mut grown)[1..]);
        assert_eq!(grown.position.epoch, 0);
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 18);
        let mut resumed = fresh();
        resumed.restore(&grown.save()).expect("the same batches");
        for _ in 0..6 {
            assert_eq!(drawn(&mut resumed), drawn(&mut grown));
        }
        grown.resize(21);
        assert_eq!(grown.size(), 8);
        let mut listed = Batches::listed(5, vec![vec![4, 4]]).expect("valid");
        listed.resize(3);
        assert_eq!(listed.size(), 2);
        assert_eq!(listed.restore(&resumed.save()), Err(StepError::OtherBatches));
    }

    #[test]
    fn given_samples_come_in_turn() {
        let batches = Batches::listed(5, vec![vec![0]]).expect("valid");
        let mut batches = batches.with_samples(vec![vec![1, 2], vec![3]]).expect("valid");
        let samples: Vec<_> = (0..3).map(|_| batches.sample(4)).collect();
        assert_eq!(samples, [vec![1, 2], vec![3], vec![1, 2]]);
        assert!(batches.clone().with_samples(vec![vec![5]]).is_err());
        assert!(batches.with_samples(vec![vec![]]).is_err());
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        assert!(Batches::shuffled(5, 6, 0).is_err());
        assert!(Batches::shuffled(5, 0, 0).is_err());
        assert!(Batches::shuffled(9, 6, 0).is_ok_and(|b| b.with_overlap(4).is_err()));
        assert!(Batches::listed(5, vec![vec![0, 5]]).is_err());
        assert!(Batches::listed(5, vec![vec![]]).is_err());
        let mut listed = Batches::listed(5, vec![vec![4, 4], vec![1, 0]]).expect("valid");
        let draws: Vec<_> = (0..3).map(|_| drawn(&mut listed)).collect();
        assert_eq!(draws, [[4, 4], [1, 0], [4, 4]]);
    }
}
