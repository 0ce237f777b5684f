//! What the client asked about the interaction.

/// What the client asked about the interaction (OpenID Connect Core §3.1.2.1 `prompt`).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Prompt(u8);

impl Prompt {
    const WORDS: [(u8, &str); 4] = [(1, "none"), (2, "login"), (4, "consent"), (8, "select_account")];

    /// `None` for words that have no meaning, and for `none` beside others.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut prompt = 0;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            prompt |= Self::WORDS.iter().find(|(_, known)| *known == word)?.0;
        }
        (prompt & 1 == 0 || prompt == 1).then_some(Self(prompt))
    }

    /// No page may be shown: what cannot be answered at once is refused.
    pub const fn forbids_pages(self) -> bool {
        self.0 & 1 != 0
    }

    /// The user must sign in again, even if signed in.
    pub const fn demands_sign_in(self) -> bool {
        self.0 & 2 != 0
    }

    /// Consent must be asked for, even if remembered.
    pub const fn demands_consent(self) -> bool {
        self.0 & 4 != 0
    }

    /// The user must be let choose an account.
    pub const fn demands_account_choice(self) -> bool {
        self.0 & 8 != 0
    }
}

impl std::fmt::Display for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut words = Self::WORDS.iter().filter(|(bit, _)| self.0 & bit != 0).map(|(_, word)| word);
        if let Some(first) = words.next() {
            f.write_str(first)?;
        }
        words.try_for_each(|word| write!(f, " {word}"))
    }
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prompt({self})")
    }
}
