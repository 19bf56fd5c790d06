//! JSON read as far as it fits: what has another type than expected counts as missing, of keys that come twice the
//! last counts, and nothing is copied that can be borrowed. Thousands a second pass here.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, fmt, marker::PhantomData};

/// A text; a number as it is written. Anything else is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Word<'a>(pub Cow<'a, str>);

impl Word<'_> {
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }
}

struct WordVisitor<'a>(PhantomData<&'a ()>);

macro_rules! numbers {
    ($($name:ident $ty:ty),*) => {$(
        fn $name<E>(self, number: $ty) -> Result<Self::Value, E> {
            Ok(Word(Cow::Owned(number.to_string())))
        }
    )*};
}

impl<'de: 'a, 'a> Visitor<'de> for WordVisitor<'a> {
    type Value = Word<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Word(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Word(Cow::Owned(text.to_owned())))
    }

    numbers!(visit_i64 i64, visit_u64 u64, visit_f64 f64);

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Word::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Word::default())
    }

    /// Meta's examples write some words as a list of one.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let first = list.next_element::<Word<'a>>()?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.unwrap_or_default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Word::default())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(de: D) -> Result<Self, D::Error> {
        de.deserialize_any(WordVisitor(PhantomData))
    }
}

/// An object of which some members are read.
pub(super) trait Members<'a>: Default {
    /// Takes the member of this name, if it is one of them; else leaves it.
    fn member<'de: 'a, A: MapAccess<'de>>(&mut self, name: &str, from: &mut A) -> Result<(), A::Error>;
}

/// An object; anything else is an empty one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object<T>(pub T);

/// A list of objects; anything else is an empty one. What in it is no object counts as an empty one, so that places
/// stay.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> std::ops::Deref for Object<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> std::ops::Deref for List<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

struct ObjectVisitor<'a, T>(PhantomData<&'a T>);
struct ListVisitor<'a, T>(PhantomData<&'a T>);

macro_rules! nothing_else {
    ($($name:ident $ty:ty),*) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        $(fn $name<E>(self, _: $ty) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        })*
    };
}

impl<'de: 'a, 'a, T: Members<'a>> Visitor<'de> for ObjectVisitor<'a, T> {
    type Value = Object<T>;
    nothing_else!(visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64, visit_str &str);

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut read = T::default();
        while let Some(name) = object.next_key::<Word<'de>>()? {
            read.member(&name.0, &mut object)?;
        }
        Ok(Object(read))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::Value::default())
    }
}

impl<'de: 'a, 'a, T: Members<'a>> Visitor<'de> for ListVisitor<'a, T> {
    type Value = List<T>;
    nothing_else!(visit_bool bool, visit_i64 i64, visit_u64 u64, visit_f64 f64, visit_str &str);

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(List::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Object(one)) = list.next_element_seed(ObjectSeed::<'a, T>(PhantomData))? {
            all.push(one);
        }
        Ok(List(all))
    }
}

pub(super) struct ObjectSeed<'a, T>(pub PhantomData<&'a T>);
pub(super) struct ListSeed<'a, T>(pub PhantomData<&'a T>);

impl<'de: 'a, 'a, T: Members<'a>> serde::de::DeserializeSeed<'de> for ObjectSeed<'a, T> {
    type Value = Object<T>;
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Self::Value, D::Error> {
        de.deserialize_any(ObjectVisitor(PhantomData))
    }
}

impl<'de: 'a, 'a, T: Members<'a>> serde::de::DeserializeSeed<'de> for ListSeed<'a, T> {
    type Value = List<T>;
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Self::Value, D::Error> {
        de.deserialize_any(ListVisitor(PhantomData))
    }
}

/// Declares an object: words, then objects, then lists, each by its name in the JSON.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($word:ident: $word_key:literal),* $(,)? }
        $(objects { $($object:ident: $object_key:literal $object_ty:ident),* $(,)? })?
        $(lists { $($list:ident: $list_key:literal $list_ty:ident),* $(,)? })?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(super) struct $name<'a> {
            $(pub $word: super::loose::Word<'a>,)*
            $($(pub $object: super::loose::Object<$object_ty<'a>>,)*)?
            $($(pub $list: super::loose::List<$list_ty<'a>>,)*)?
        }

        impl<'a> super::loose::Members<'a> for $name<'a> {
            fn member<'de: 'a, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                from: &mut A,
            ) -> Result<(), A::Error> {
                match name {
                    $($word_key => self.$word = from.next_value()?,)*
                    $($($object_key => {
                        self.$object = from.next_value_seed(super::loose::ObjectSeed(std::marker::PhantomData))?;
                    })*)?
                    $($($list_key => {
                        self.$list = from.next_value_seed(super::loose::ListSeed(std::marker::PhantomData))?;
                    })*)?
                    _ => {
                        from.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
                Ok(())
            }
        }
    };
}
pub(super) use object;
