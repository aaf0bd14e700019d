//! Making a failing list shorter (delta debugging).

/// The shortest list found, in order, of which `fails` still says so: chunks are taken out, large ones first, until no
/// single item can be spared or `fails` has been asked `tries` times.
pub fn shrink<T: Clone>(items: &[T], mut tries: usize, fails: impl Fn(&[T]) -> bool) -> Vec<T> {
    let mut left = items.to_vec();
    let mut chunk = left.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        let before = left.len();
        while at < left.len() {
            if tries == 0 {
                return left;
            }
            tries -= 1;
            let without: Vec<T> = [&left[..at], &left[left.len().min(at + chunk)..]].concat();
            if fails(&without) {
                left = without;
            } else {
                at += chunk;
            }
        }
        if chunk > 1 {
            chunk = chunk.div_ceil(2);
        } else if left.len() == before {
            break;
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn what_does_not_matter_goes_and_the_order_stays() {
        let all: Vec<u32> = (0..100).collect();
        let needs = |list: &[u32]| [7, 8, 93].iter().all(|item| list.contains(item));
        assert_eq!(shrink(&all, 1_000, needs), [7, 8, 93]);
        assert_eq!(shrink(&all, 1_000, |_| true), [] as [u32; 0]);
    }

    #[test]
    fn the_search_is_bounded() {
        let asked = std::cell::Cell::new(0);
        shrink(&[0; 100], 10, |_| {
            asked.set(asked.get() + 1);
            false
        });
        assert_eq!(asked.get(), 10);
    }
}
