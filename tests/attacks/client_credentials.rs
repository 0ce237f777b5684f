//! The client credentials grant (ids CC).
