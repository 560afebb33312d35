package seed

import "time"

// venue is where an event takes place.
type venue struct {
	hall, city string
	zone       *time.Location
}

func (v venue) location() string { return v.hall + ", " + v.city }

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // the zones are embedded in the program
	}
	return z
}

var (
	berlin    = zone("Europe/Berlin")
	lisbon    = zone("Europe/Lisbon")
	london    = zone("Europe/London")
	newYork   = zone("America/New_York")
	tokyo     = zone("Asia/Tokyo")
	smallHall = venue{"Small Hall", "Berlin", berlin}
)

var venues = []venue{
	smallHall,
	{"Great Hall", "Berlin", berlin},
	{"Old Brewery", "Leipzig", berlin},
	{"Harbour Shed 4", "Hamburg", berlin},
	{"Botanical Garden", "Munich", berlin},
	{"Casa do Rio", "Lisbon", lisbon},
	{"Mercado Velho", "Porto", lisbon},
	{"Canal Museum", "London", london},
	{"The Printworks", "Manchester", london},
	{"Brooklyn Commons", "New York", newYork},
	{"Riverside Library", "New York", newYork},
	{"Tea House Kissa", "Tokyo", tokyo},
}

// eventKind is a kind of event: when it begins, how long it lasts, and its capacity.
type eventKind struct {
	title, description string
	hour, minute       int
	lasts              time.Duration
	capacities         []int
}

var eventKinds = []eventKind{
	{"Jazz evening", "Standards and a few surprises, two sets.", 20, 0, 150 * time.Minute, []int{40, 60, 80}},
	{"String quartet", "Haydn, Bartók and an encore.", 19, 30, 2 * time.Hour, []int{50, 80}},
	{"Choir workshop", "Three new pieces in one day; reading music is not needed.", 10, 0, 5 * time.Hour, []int{24, 30}},
	{"Life drawing", "Short and long poses; paper and charcoal are there.", 18, 30, 2 * time.Hour, []int{12, 15}},
	{"Sourdough course", "From starter to loaf, which you take home.", 9, 30, 4 * time.Hour, []int{8, 10}},
	{"Pasta by hand", "Four shapes, two sauces, one long table.", 17, 30, 3 * time.Hour, []int{10, 12}},
	{"Coffee tasting", "Six coffees, side by side.", 15, 0, 90 * time.Minute, []int{8, 10, 12}},
	{"Beekeeping for beginners", "Behind the scenes of a hive; protective clothing is lent.", 14, 0, 3 * time.Hour, []int{8, 12}},
	{"City walk", "Courtyards that are usually closed.", 11, 0, 2 * time.Hour, []int{15, 20}},
	{"Bird watching at dawn", "Binoculars can be borrowed.", 6, 0, 2 * time.Hour, []int{10, 15}},
	{"Bouldering basics", "Falling, foot work, first problems.", 18, 0, 2 * time.Hour, []int{8, 10}},
	{"Yoga in the park", "Bring a mat; in the hall when it rains.", 8, 0, time.Hour, []int{20, 30}},
	{"Swimming course", "Crawl for people who can swim, but not like that.", 7, 0, time.Hour, []int{8, 10}},
	{"Bicycle repair", "Gears, brakes, tubes: your own bicycle, our tools.", 13, 0, 3 * time.Hour, []int{6, 8}},
	{"Go meetup", "Two talks and a lot of time to talk.", 18, 30, 150 * time.Minute, []int{40, 60}},
	{"Databases in depth", "A day with locks, logs and snapshots.", 9, 0, 8 * time.Hour, []int{20, 25}},
	{"First aid refresher", "What has changed, and everything by hand.", 9, 0, 4 * time.Hour, []int{12, 16}},
	{"Chess open", "Seven rounds, rated and unrated.", 10, 0, 7 * time.Hour, []int{30, 40}},
	{"Board game night", "Our shelf of three hundred, or your own.", 19, 0, 4 * time.Hour, []int{24, 32}},
	{"Poetry reading", "Five voices, one microphone.", 20, 0, 90 * time.Minute, []int{30, 50}},
	{"Film club", "A film, an introduction, a discussion.", 19, 30, 3 * time.Hour, []int{40, 60}},
	{"Planetarium show", "The sky of this week.", 20, 30, time.Hour, []int{40, 60}},
	{"Children's theatre", "For everybody from four years on.", 15, 0, time.Hour, []int{40, 50}},
	{"Language exchange", "Half an hour each way.", 18, 0, 2 * time.Hour, []int{16, 20}},
	{"Screen printing", "One colour, your own design.", 10, 0, 6 * time.Hour, []int{6, 8}},
	{"Winter gardening", "What to cut, what to leave alone.", 13, 30, 2 * time.Hour, []int{12, 18}},
	{"Repair café", "Bring it, open it, mend it.", 14, 0, 4 * time.Hour, []int{15, 20}},
	{"Tango for beginners", "No partner needed.", 19, 0, 90 * time.Minute, []int{16, 24}},
}

var firstNames = []string{
	"Aisha", "Alba", "Amir", "Anton", "Beatriz", "Bruno", "Camille", "Chiara", "Daniel", "Emre", "Esther", "Fatima",
	"Felix", "Greta", "Hana", "Hugo", "Ines", "Ivan", "Jonas", "Julia", "Kenji", "Lara", "Leo", "Lucia", "Malik", "Marta",
	"Mei", "Milan", "Nadia", "Noah", "Olivia", "Oscar", "Paula", "Priya", "Rafael", "Rosa", "Samir", "Sofia", "Tomas", "Yuki",
}

var lastNames = []string{
	"Almeida", "Andersen", "Bauer", "Becker", "Bianchi", "Costa", "Demir", "Dubois", "Evans", "Fischer", "Garcia", "Haddad",
	"Hansen", "Ito", "Jansen", "Kaya", "Keller", "Khan", "Kowalski", "Larsen", "Lopez", "Martin", "Mendes", "Meyer",
	"Moreau", "Nakamura", "Novak", "Okafor", "Patel", "Petrov", "Reis", "Rossi", "Santos", "Sato", "Schmidt", "Silva",
	"Tanaka", "Weber", "Wood", "Yilmaz",
}
