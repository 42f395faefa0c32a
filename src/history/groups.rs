//! Many small lists in one.

/// Items by a number.
#[derive(Default)]
pub struct Groups<T> {
    /// Where the items of each number start; they end where those of the next start.
    starts: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy + Default> Groups<T> {
    /// Groups items by numbers below `numbers`.
    pub fn new(numbers: usize, items: impl Iterator<Item = (u32, T)> + Clone) -> Self {
        let mut starts = vec![0_u32; numbers + 1];
        for (number, _) in items.clone() {
            starts[number as usize + 1] += 1;
        }
        for number in 0..numbers {
            starts[number + 1] += starts[number];
        }
        let mut grouped = vec![T::default(); starts[numbers] as usize];
        for (number, item) in items {
            let next = &mut starts[number as usize];
            grouped[*next as usize] = item;
            *next += 1;
        }
        // Each is where the items of the next number start now.
        starts.rotate_right(1);
        starts[0] = 0;
        Self {
            starts,
            items: grouped,
        }
    }

    pub fn all(&self) -> &[T] {
        &self.items
    }

    /// The items of a number, in the order in which they were given.
    pub fn of(&self, number: u32) -> &[T] {
        let at = number as usize;
        match self.starts.get(at..at + 2) {
            Some(&[start, end]) => &self.items[start as usize..end as usize],
            _ => &[],
        }
    }
}
