//! Pieces of a matrix: the blocks that long dimensions are cut into.

use std::{borrow::Cow, ops::Range};

/// A piece of a matrix, whose numbers are row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    rows: Range<usize>,
    columns: Range<usize>,
    /// Columns of the matrix.
    width: usize,
}

impl Piece {
    /// The grid of pieces of at most `most` rows and columns, row by row.
    pub fn grid([rows, columns]: [usize; 2], most: usize) -> Vec<Self> {
        let cut = |length: usize| {
            (0..length).step_by(most).map(move |start| start..length.min(start + most))
        };
        let in_row = |rows: Range<usize>| {
            cut(columns).map(move |own| Self { rows: rows.clone(), columns: own, width: columns })
        };
        cut(rows).flat_map(in_row).collect()
    }

    pub fn shape(&self) -> [usize; 2] {
        [self.rows.len(), self.columns.len()]
    }

    pub fn len(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// Where its numbers are in the matrix.
    pub fn runs(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let Range { start, end } = self.columns;
        self.rows.clone().map(move |row| row * self.width + start..row * self.width + end)
    }

    /// The same if they are not scattered.
    fn whole(&self) -> Option<Range<usize>> {
        let (Range { start, end }, width) = (self.rows.clone(), self.width);
        (self.columns.len() == width).then(|| start * width..end * width)
    }

    /// Its numbers, copied only where they are scattered.
    pub fn of<'a, T: Copy>(&self, matrix: &'a [T]) -> Cow<'a, [T]> {
        match self.whole() {
            Some(whole) => Cow::Borrowed(&matrix[whole]),
            None => self.runs().flat_map(|run| &matrix[run]).copied().collect(),
        }
    }

    /// Changes its numbers, copied and written back only where they are scattered.
    pub fn change<T: Copy>(&self, matrix: &mut [T], change: impl FnOnce(&mut [T])) {
        if let Some(whole) = self.whole() {
            return change(&mut matrix[whole]);
        }
        let mut own = self.of(matrix).into_owned();
        change(&mut own);
        for (run, row) in self.runs().zip(own.chunks(self.columns.len())) {
            matrix[run].copy_from_slice(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_every_number_once_and_its_last_pieces_are_shorter() {
        let matrix: Vec<usize> = (0..35).collect();
        let grid = Piece::grid([5, 7], 3);
        let shapes: Vec<_> = grid.iter().map(Piece::shape).collect();
        assert_eq!(shapes, [[3, 3], [3, 3], [3, 1], [2, 3], [2, 3], [2, 1]]);
        assert_eq!(*grid[4].of(&matrix), [24, 25, 26, 31, 32, 33]);
        let mut all: Vec<usize> =
            grid.iter().flat_map(|piece| piece.of(&matrix).into_owned()).collect();
        all.sort_unstable();
        assert_eq!(all, matrix);
    }

    #[test]
    fn a_piece_changes_its_own_numbers_alone_and_copies_only_where_it_must() {
        let mut matrix = vec![0; 6];
        for piece in Piece::grid([2, 3], 2) {
            let many = piece.len() as i32;
            piece.change(&mut matrix, |own| own.iter_mut().for_each(|x| *x += many));
        }
        assert_eq!(matrix, [4, 4, 2, 4, 4, 2]);
        let whole = &Piece::grid([2, 3], 3)[0];
        assert!(matches!(whole.of(&matrix), Cow::Borrowed(all) if all.len() == 6));
    }
}
