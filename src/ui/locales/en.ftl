# The texts of the bot. Markup is Telegram's HTML; inserted values are escaped before they get here.

main-menu =
    <b>What shall we create?</b>

    Choose a section.
category-image = 🎨 Pictures
category-video = 🎬 Video
category-audio = 🗣 Speech
category-music = 🎵 Music
category-enhance = ✨ Enhance
category-avatar = 👤 Avatars
category-pick =
    <b>{ $category }</b> · { $page } of { $pages }

    Choose a model.
model-card =
    <b>{ $title }</b>
    { $category }

    Price: { $price }
    Questions: { $required }, optional settings: { $optional }
price-from = from { $price }
price-free = free
price-unknown = not known yet
best =
    <b>The cheapest models</b>

    Choose a model.
free =
    <b>Free models</b>

    Choose a model.
free-none =
    <b>Free models</b>

    There are none at the moment. Please come back later.
search =
    <b>Find a model</b>

    Write what you are looking for: a name or a task, such as “video from photo”.
search-found =
    <b>Found</b>

    Choose a model, or write something else.
search-nothing =
    <b>Nothing found</b>

    Try other words, such as “picture”, “voice”, “kling”.
form-step = <b>{ $title }</b> · step { $step } of { $steps }
form-edit = <b>{ $title }</b> · setting { $step } of { $steps }
form-text = Send the text as a message: { $min } to { $max } characters.
form-number = Send a number: { $allowed }.
form-seconds = Send a number of seconds: { $allowed }.
form-image =
    Send a picture or a link to one{ $allowed ->
        [image] {""}
       *[other] {" "}({ $allowed })
    }.
form-image-list =
    Send pictures or links to them, up to { $max }{ $allowed ->
        [image] {""}
       *[other] {" "}({ $allowed })
    }.
form-video =
    Send a video or a link to one{ $allowed ->
        [video] {""}
       *[other] {" "}({ $allowed })
    }.
form-video-list =
    Send videos or links to them, up to { $max }{ $allowed ->
        [video] {""}
       *[other] {" "}({ $allowed })
    }.
form-audio =
    Send audio, a voice message or a link{ $allowed ->
        [audio] {""}
       *[other] {" "}({ $allowed })
    }.
form-audio-list =
    Send audio files or links to them, up to { $max }{ $allowed ->
        [audio] {""}
       *[other] {" "}({ $allowed })
    }.
form-files-so-far = So far: { $count } of { $max }.
options =
    <b>{ $title }</b> · settings

    { $parameters }

    Change any of them, or go on.
parameter-default = { $label }: { $value } <i>(default)</i>
files-count =
    { $count ->
        [one] { $count } file
       *[other] { $count } files
    }
confirm =
    <b>Check and run</b>

    Model: { $title }
    { $parameters }
confirm-price = Price: <b>{ $price }</b>. Your balance: { $available }.
confirm-missing = ⚠️ You are { $missing } short.
confirm-wait-image = Usually ready within a minute.
confirm-wait-video = Usually ready in 1 to 5 minutes.
confirm-wait-audio = Usually ready in 1 to 3 minutes.
processing =
    ⏳ <b>{ $title }</b>

    Generating. The result will come to this chat.
result-ready = ✅ <b>{ $title }</b> is ready, see below.
result-link =
    ✅ <b>{ $title }</b>

    Telegram does not accept this file. <a href="{ $url }">Download it here</a>: the link works for a few days.
result-caption = ✅ <b>{ $title }</b>
result-error =
    ⚠️ <b>{ $title }</b>

    { $reason }
    { $money }
    Reference: <code>{ $cid }</code>
result-unsent = The result is ready, but it could not be sent.
help =
    <b>How it works</b>

    1. Choose a section and a model.
    2. Answer its questions with words, buttons, a picture or a link.
    3. Check the price and confirm. The result will come to this chat; if there is none, you get your money back.

    If something did not work, send us the code from the error message: it shows us what happened.
    /start – menu, /balance – balance, /cancel – cancel.
updating =
    ⏳ <b>The service is being updated…</b>

    Your tap had no effect. Press “Refresh” in a minute.
updating-message = ⏳ The service is being updated… Your message is saved, and I will answer it in a minute.
flood-message = ⏳ That was too much at once, so I had to skip some of your messages. Wait until I have answered the others, then send those again.
tap-waiting = ⏳ Got it, a few more seconds
tap-slow = ⏳ This is taking longer than usual, but I am still working on it. If nothing comes, send us this code: { $cid }
checkout-declined = Payments are not available yet. You have not been charged.
hint-too-short = Too short: { $allowed } characters are needed.
hint-too-long = Too long: { $allowed } characters are allowed.
hint-not-a-text = A text is needed: { $allowed } characters.
hint-not-a-choice = Choose one of the buttons.
hint-unknown-command = There is no such command. Here is the menu.
hint-unknown-command-form = There is no such command. Let us continue from here:
hint-unexpected = To begin, choose a section.
hint-continue = Let us continue from here:
button-create = ✨ Create
button-generate = 🚀 Run
button-again = 🔁 Once more
button-back = ◀️ Back
button-cancel = ✖️ Cancel
button-menu = 🏠 Menu
button-refresh = 🔄 Refresh
button-help = ❓ Help
command-start = Open the menu
command-help = How it works
command-cancel = Cancel what you are doing
money-returned = Your money is back on your balance.
money-charged = It is paid for and saved: press “Send it again”.
money-untouched = You were not charged.
balance =
    <b>Balance: { $available }</b>
balance-held = Reserved for generations in progress: { $held }
balance-no-moves = No payments yet.
balance-move = { $day } · { $kind } · { $amount }
move-topup = top-up
move-welcome = welcome bonus
move-hold = reserved
move-charge = paid
move-release = reservation returned
move-refund = refund
move-adjust = correction
hint-not-a-number = A number is needed: { $allowed }.
hint-not-whole = A whole number is needed: { $allowed }.
hint-too-small = Too small. Allowed: { $allowed }.
hint-too-large = Too large. Allowed: { $allowed }.
hint-not-a-file =
    A file or a link is needed: { $allowed ->
        [image] a picture
        [video] a video
        [audio] audio
       *[other] { $allowed }
    }.
hint-wrong-media =
    This is a different kind of file. Needed: { $allowed ->
        [image] a picture
        [video] a video
        [audio] audio
       *[other] { $allowed }
    }.
hint-wrong-type = This format is not supported. Needed: { $allowed }.
hint-file-too-big = The file is too big. Needed: { $allowed }.
hint-too-big-for-telegram = Telegram does not give me files this big ({ $allowed }). Send a link to it instead.
hint-too-many-files = Too many files: { $allowed } allowed.
hint-not-a-link = This link cannot be used. It has to begin with https:// and lead to the file itself.
hint-private-link = This link does not open for others. Send one that anybody can open.
hint-no-files = There is no file yet: { $allowed } needed.
hint-missing = First answer: { $parameters }.
hint-one-of = At least one of these is needed: { $parameters }.
hint-not-together = These do not go together: { $parameters }. Remove one.
hint-nothing-asked = There is nothing to send now. Use the buttons above.
hint-combination = This combination of settings is not available. Change the resolution or the duration.
hint-quote-expired = The price was calculated a while ago. Check the current price and run again.
hint-model-price-unknown = This model has no price yet and cannot be run. Choose another one.
hint-model-needs-address = This model is not available in this bot. Choose another one.
hint-balance = You are { $missing } short.
hint-search-short = Write at least two letters.
hint-sending = Sending
button-best = 💸 Cheapest
button-free = 🎁 Free
button-search = 🔎 Find a model
button-balance = 💰 Balance
button-page-before = ◀️
button-page-after = ▶️
button-edit = ✏️ { $label }
button-change = ✏️ Change
button-proceed = ▶️ Go on
button-done = ▶️ Go on
button-skip = ⏭ Skip
button-clear = 🧹 Remove
button-original = 📎 Original file
button-retry = 🔁 Try again
button-redeliver = 📨 Send it again
command-balance = Balance and payments
debug-panel =
    <b>🛠 State</b>
    Mode: { $mode } · { $state } · epoch { $epoch }
    Heartbeat: { $heartbeat } s · queued and in progress: { $depth }
    Last hour: { $faults } faults of { $outcomes } outcomes
debug-source = Updates from Telegram: { $state }
debug-warnings = Last hour, the service itself: { $count } warnings ({ $kinds })
debug-newest = Newest cid: <code>{ $cid }</code>
debug-level-until = Detailed logs until { $time } UTC
debug-level-normal = Logs as usual
debug-outcomes = Latest actions of others, refusals and faults first (times in UTC):
debug-no-outcomes = Nobody else has done anything in the last day.
debug-chain = <b>🔎 { $cid }</b>
debug-no-trace =
    The journal has no such cid. Check it for a typo: the journal keeps the last few days only, and new entries take a second to appear.

    If the user has no code and a tap was lost: { $verdict }
debug-confidence = Confidence: { $confidence }
confidence-high = high
confidence-medium = medium
confidence-low = low
debug-complaint = <b>🆘 A user reports a problem</b>
debug-user = Latest actions of <code>{ $who }</code> (times in UTC)
debug-user-nothing = No actions found for <code>{ $who }</code>
button-debug-on = 🔴 Enable Debug (30m)
button-debug-off = ⚪️ Disable Debug
button-debug-cid = 📋 Show Last CID
button-debug-close = ❌ Close
button-debug = 🛠 Panel
button-copy-cid = 📎 { $cid }
button-report = 🆘 Report a problem
hint-debug-argument = Write a cid (8 digits), a @name or the ID of a user.
hint-debug-nobody = The bot has never seen such a user.
hint-debug-hidden = Telegram hides who wrote this message. Ask them for the cid.
hint-not-allowed = You are not allowed to use this command.
hint-private-only = I work in private chats only: write to me there.
hint-reported = Thank you, we are looking into it.
hint-reported-before = You have already reported this, and we are looking into it. You can report again in ten minutes.
hint-nobody-to-tell = There is nobody to report to at the moment. Try again later.
command-report = Report a problem
command-debug = Administrators’ panel
privacy =
    <b>Your data</b>

    Until you erase your data, we keep your Telegram ID, name and language, and the texts and files of your orders. We keep your messages to the bot for 7 days.
    Records of payments are kept permanently; once you have erased your data, they no longer show whose they are.
privacy-journal = The log of actions, without your texts and ID: { $days } days.
privacy-consent-given = Texts in the log: <b>allowed</b>. People who look for errors can see how each text begins.
privacy-consent-none = Texts in the log: <b>not allowed</b>. Only their length is visible.
privacy-erase =
    <b>Erase everything?</b>

    Your profile, messages, orders and log will be deleted and cannot be restored. Buttons under old messages will stop working. The welcome bonus is not given twice.
privacy-erase-balance = You will lose your balance too: <b>{ $available }</b>.
button-privacy = 🔐 My data
button-consent-on = ⚪️ Allow texts in the log
button-consent-off = 🟢 Keep texts out of the log
button-export = 📦 Get a copy
button-erase = 🗑 Erase
button-erase-all = 🗑 Yes, erase everything
button-keep = ◀️ Leave it as it is
hint-exporting = Making your copy
hint-exported-before = You have just received a copy. You can get the next one in a minute.
hint-erasing = Erasing
hint-erase-busy = A generation or its delivery is still in progress. Try again when it has finished.
export-document = Everything we keep about you. If there is too much of it, only the newest.
export-failed = The copy could not be made. Try again later.
erase-done = Done: everything is erased. To start over, send /start.
erase-failed = Your data could not be erased, and nothing has changed. Try again later.
command-privacy = My data
