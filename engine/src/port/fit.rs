//! Whether what leaves one port may arrive at another.

use std::collections::BTreeMap;

use super::PortType;

/// How much of what a type may be another type takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Nothing that there could be, save an empty list.
    Never,
    /// Some values and not others, such as a text of "text or null".
    Sometimes,
    /// All of it. `any` on either side, and what an open object may hold besides, is taken on trust.
    Always,
}

impl PortType {
    /// How a value of this type fits where `target` is expected.
    pub fn fit(&self, target: &Self) -> Fit {
        match (self, target) {
            (Self::Any, _) | (_, Self::Any) | (Self::Integer, Self::Number) => Fit::Always,
            (Self::Number, Self::Integer) => Fit::Sometimes,
            (Self::Union { of }, target) => {
                let fits = || of.iter().map(|alternative| alternative.fit(target));
                match (fits().min(), fits().max()) {
                    (Some(Fit::Always), _) => Fit::Always,
                    (_, Some(Fit::Never)) | (None, _) => Fit::Never,
                    _ => Fit::Sometimes,
                }
            }
            (source, Self::Union { of }) => {
                of.iter().map(|alternative| source.fit(alternative)).max().unwrap_or(Fit::Never)
            }
            (Self::List { items }, Self::List { items: wanted }) => items.fit(wanted),
            (Self::File, Self::Object { fields: wanted, open }) => {
                objects((&Self::file_fields(), false), (wanted, *open))
            }
            (Self::Object { fields, open }, Self::Object { fields: wanted, open: wanted_open }) => {
                objects((fields, *open), (wanted, *wanted_open))
            }
            (left, right) if left == right => Fit::Always,
            _ => Fit::Never,
        }
    }

    /// Whether all that this type may be fits `target`.
    pub fn fits(&self, target: &Self) -> bool {
        self.fit(target) == Fit::Always
    }
}

type Fields<'a> = (&'a BTreeMap<String, PortType>, bool);

fn objects((fields, open): Fields<'_>, (wanted, wanted_open): Fields<'_>) -> Fit {
    let known = wanted.iter().map(|(name, wanted)| match fields.get(name) {
        Some(field) => field.fit(wanted),
        None if open || wanted.takes_null() => Fit::Always,
        None => Fit::Never,
    });
    // A field that the target does not know is one too many, unless it may be missing. Fields that nobody wrote down
    // are taken on trust.
    let unknown = fields.iter().filter(|(name, _)| !wanted_open && !wanted.contains_key(*name));
    let unknown = unknown.map(|(_, field)| if field.takes_null() { Fit::Sometimes } else { Fit::Never });
    known.chain(unknown).min().unwrap_or(Fit::Always)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_may_arrive_where_a_number_is_expected_and_a_number_may_be_an_integer() {
        assert_eq!(PortType::Integer.fit(&PortType::Number), Fit::Always);
        assert_eq!(PortType::Number.fit(&PortType::Integer), Fit::Sometimes);
        assert_eq!(PortType::String.fit(&PortType::Number), Fit::Never);
    }

    #[test]
    fn a_list_fits_when_its_items_do() {
        let integers = PortType::list_of(PortType::Integer);
        assert!(integers.fits(&PortType::list()));
        assert_eq!(integers.fit(&PortType::list_of(PortType::String)), Fit::Never);
        assert_eq!(PortType::object().fit(&PortType::list()), Fit::Never);
    }

    #[test]
    fn a_union_fits_when_each_of_it_does_and_sometimes_when_one_does() {
        let text_or_null = PortType::String.or_null();
        assert_eq!(text_or_null.fit(&PortType::String), Fit::Sometimes);
        assert_eq!(PortType::String.fit(&text_or_null), Fit::Always);
        assert_eq!(text_or_null.fit(&text_or_null), Fit::Always);
        assert_eq!(text_or_null.fit(&PortType::union([PortType::Number, PortType::Boolean])), Fit::Never);
    }

    #[test]
    fn an_object_fits_by_its_fields() {
        let named = PortType::closed([("name", PortType::String)]);
        let aged = PortType::closed([("name", PortType::String), ("age", PortType::Integer)]);
        let maybe_aged = PortType::closed([("name", PortType::String), ("age", PortType::Integer.or_null())]);
        assert_eq!(aged.fit(&PortType::open([("name", PortType::String)])), Fit::Always);
        assert_eq!(aged.fit(&named), Fit::Never);
        assert_eq!(named.fit(&aged), Fit::Never);
        assert_eq!(named.fit(&maybe_aged), Fit::Always);
        assert_eq!(maybe_aged.fit(&named), Fit::Sometimes);
        assert_eq!(PortType::object().fit(&aged), Fit::Always);
    }

    #[test]
    fn a_file_is_an_object_and_no_object_is_a_file() {
        assert!(PortType::File.fits(&PortType::object()));
        assert!(PortType::File.fits(&PortType::open([("size", PortType::Integer)])));
        assert_eq!(PortType::object().fit(&PortType::File), Fit::Never);
    }
}
